"""outputs, weights -> named tensors: nested answers as leaves, their difference, who shares storage."""
