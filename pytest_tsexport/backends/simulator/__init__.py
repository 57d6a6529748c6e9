"""program -> answers, on the CPU: a stand-in for the Neuron compiler and its chip, which keeps their documented rules.

A SIMULATION. It stands for what a compiled program accepts and refuses (positions, exact shapes and dtypes, dropped
inputs, frozen branches, batches cut into slices) and for the rounding of `--auto-cast`. It does not stand for the
compiler, which operators it knows, the order in which a chip adds, its memory, or its speed.
"""
