"""Verdicts as text: what a person reads in the terminal, and what a program reads in JUnit. Pure functions."""
