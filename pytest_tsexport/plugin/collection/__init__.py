"""Marked functions as items: what is collected, under which id, in which order, on which worker."""
