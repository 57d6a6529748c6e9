"""number -> randomness: the random generators that a model may use, in a known state, and restored afterwards.

A model may draw numbers while it answers. What one check draws must not change what the next one sees, and the user's
own tests must not notice any of it.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def seeded(number: int) -> Iterator[None]:
    """While this is open, torch on the CPU, Python and NumPy (if it is loaded) draw from this seed, below 2**32."""
    numpy = sys.modules.get("numpy")
    with random_numbers_put_back():
        torch.default_generator.manual_seed(number)  # torch.manual_seed would seed the devices too, for good
        random.seed(number)
        if numpy is not None:
            numpy.random.seed(number)
        yield


@contextmanager
def random_numbers_put_back() -> Iterator[None]:
    """What is drawn or seeded in this block is not noticed after it, in torch on the CPU, Python and NumPy."""
    numpy = sys.modules.get("numpy")
    python = random.getstate()
    state = None if numpy is None else numpy.random.get_state()
    with torch.random.fork_rng(devices=[]):
        try:
            yield
        finally:
            random.setstate(python)
            if numpy is not None:
                numpy.random.set_state(state)
