"""nothing -> nothing: like the package of this name that can be installed from PyPI, and that holds a place."""

__version__ = "1.0"
