"""subject, meaning -> what a file is judged by, as plain data: traced inputs, axes with contracts, tolerances."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pytest_tsexport.config.marker import Meaning
from pytest_tsexport.subjects.fields import Axis
from pytest_tsexport.subjects.subject import Subject


def contract_of(subject: Subject, meaning: Meaning, default: str) -> dict[str, Any]:
    """What the file was judged by; `default` is the contract of the backend, for axes that the marker says nothing of.

    Equal contracts are equal data, in whatever process they are made.
    """
    return {
        "inputs": {name: f"{_dtype(tensor)} {list(tensor.shape)}" for name, tensor in subject.inputs.items()},
        "outputs": list(subject.outputs),
        "axes": {axis.name: _axis(axis, meaning, default) for axis in subject.axes},
        "rtol": _each(float, meaning.rtol),
        "atol": _each(float, meaning.atol),
        "metric": _each(str, meaning.metric),
        "guard": meaning.guard,
        "reference": subject.reference is not subject.model,
        "examples": len(subject.examples),
        "strategies": sorted(subject.strategies),
        "xfail": _each(str, meaning.xfail),
    }


def _axis(axis: Axis, meaning: Meaning, default: str) -> dict[str, Any]:
    contract = meaning.contract_of(axis.name, named=axis.named, default=default)
    return {"traced": axis.size, "least": axis.least, "most": axis.high, "contract": contract}


def _dtype(tensor: object) -> str:
    return str(getattr(tensor, "dtype", "")).removeprefix("torch.")


def _each(kind: Callable[[Any], object], value: object) -> object:
    """The value, or each value of a mapping, as a builtin type: only these can be sent to another process."""
    if isinstance(value, Mapping):
        return {str(name): kind(one) for name, one in value.items()}
    return None if value is None else kind(value)
