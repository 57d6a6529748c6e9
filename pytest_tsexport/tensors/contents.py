"""object -> what is recorded of its contents: elements, attributes, or its state as bytes."""

from __future__ import annotations

import random
from array import array
from collections.abc import Iterable, Iterator
from enum import Enum
from hashlib import blake2b
from numbers import Number
from pathlib import PurePath
from re import Pattern
from typing import Any

import torch

from pytest_tsexport.tensors.named_tensors import attributes
from pytest_tsexport.tensors.record import CONTAINERS
from pytest_tsexport.tensors.script_modules import is_script_function

LONGEST = 10_000
"""Elements of a container that are recorded one by one; a longer one is hashed if it holds plain values only."""

PLAIN = (Number, str, bytes, type(None), type(...), type, Enum, PurePath, Pattern, range, slice)
VALUES = (*PLAIN, torch.dtype, torch.device, torch.layout, torch.memory_format)
"""What is compared by value."""

HASHED = frozenset({int, float, complex, bool, str, bytes, type(None)})
"""The elements of a long container that is hashed."""


def contents(value: Any) -> Iterator[tuple[str, object]]:
    """The name and the value of each part of an object; an array, or a random generator, is one part."""
    if is_script_function(value):
        yield "code", value.code
        return
    state = _state(value)
    if state is not None:
        yield "state", state
    elif isinstance(value, CONTAINERS) and len(value) > LONGEST:
        yield from _long(value)
    elif isinstance(value, dict):
        yield from ((_key(key), one) for key, one in dict.items(value))
    elif isinstance(value, (set, frozenset)):
        yield from ((_key(one), one) for one in value)
    elif isinstance(value, CONTAINERS):
        yield from ((str(place), one) for place, one in enumerate(value))
    elif type(value).__name__ == "ndarray" and not value.dtype.hasobject:
        yield from (("dtype", str(value.dtype)), ("shape", value.shape))
        yield "values", _bytes(value.tobytes())
    elif isinstance(value, (bytearray, array)):
        yield from (("length", len(value)), ("values", _bytes(bytes(value))))
    # The address of an object of torch is no state: a random generator has one.
    yield from ((name, child) for name, child in attributes(value) if name != "_cdata")


def _state(value: Any) -> torch.Tensor | None:
    """Where a random generator stands; None of what is none."""
    if isinstance(value, torch.Generator):
        return value.get_state()
    if isinstance(value, random.Random) and not isinstance(value, random.SystemRandom):
        return _hashed(value.getstate())
    if type(value).__module__.startswith("numpy.random"):
        generator = getattr(value, "bit_generator", None) or getattr(value, "_bit_generator", value)
        return _hashed(sorted((name, _listed(one)) for name, one in generator.state.items()))
    return None


def _listed(value: Any) -> object:
    """The state of a generator of numpy, with its arrays as lists."""
    if isinstance(value, dict):
        return sorted((name, _listed(one)) for name, one in value.items())
    return value.tolist() if hasattr(value, "tolist") else value


def _long(value: Any) -> Iterator[tuple[str, object]]:
    yield "length", len(value)
    if isinstance(value, dict):
        value = [one for pair in value.items() for one in pair]
    elif isinstance(value, (set, frozenset)):
        value = sorted(value, key=repr)
    if HASHED.issuperset(map(type, value)):
        yield "values", _hashed(list(value))


def _hashed(value: Iterable[object]) -> torch.Tensor:
    return _bytes(blake2b(repr(value).encode(errors="surrogatepass")).digest())


def _bytes(value: bytes) -> torch.Tensor:
    return torch.frombuffer(bytearray(value or b"0"), dtype=torch.uint8)


def _key(key: object) -> str:
    """The name of an entry. The state of an optimizer has parameters for keys: their shapes tell which."""
    if isinstance(key, torch.Tensor) and not key.is_nested:
        return f"{type(key).__name__} of shape {tuple(key.shape)}"
    return str(key) if isinstance(key, VALUES) else type(key).__name__
