"""A SIMULATION of the Neuron compiler and its chip on the CPU, which follows their documented rules.

It simulates what a compiled program accepts and refuses (positional inputs, exact shapes and dtypes, dropped inputs,
frozen branches, batches cut into slices) and the rounding of `--auto-cast`. It does not simulate the compiler itself,
the operators that it supports, the order in which a chip adds, its memory, or its speed.
"""
