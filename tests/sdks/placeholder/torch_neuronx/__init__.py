"""An empty placeholder, as the package of this name on PyPI is."""

__version__ = "1.0"
