"""The TorchScript file format: how `torch.jit` traces, saves and loads, and what such a file says of itself."""
