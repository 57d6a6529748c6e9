"""model -> subject: a model in evaluation mode, its inputs, its axes, and what eager answers."""
