"""model, file -> findings: whether each weight that the model ties is a separate, living copy in the file."""
