"""A tiny model of any architecture: its default config, made small by rules about the names of attributes."""
