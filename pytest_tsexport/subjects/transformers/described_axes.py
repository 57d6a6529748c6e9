"""layouts -> axes: the size, the bounds and the edges of every axis, and which axes follow from others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pytest_tsexport.subjects.fields import Axis, fitted
from pytest_tsexport.subjects.transformers.facts import Facts
from pytest_tsexport.subjects.transformers.layouts import SIZES, Laid
from pytest_tsexport.subjects.transformers.positions import bound_of, edges_of


def with_rules(laid: Sequence[Laid], axes: Sequence[Axis]) -> tuple[Axis, ...]:
    """The axes, of which some follow from others, and some are only ever at every so many sizes."""
    rules = {name: rule for one in laid for name, rule in one.rules.items()}
    steps = {name: step for one in laid for name, step in one.steps.items()}
    ruled = [
        _bounded(replace(axis, rule=rules.get(axis.name), step=steps.get(axis.name, 1)), axis.name in steps)
        for axis in axes
    ]
    sizes = fitted(ruled, {axis.name: axis.size for axis in axes})
    return tuple(replace(axis, size=sizes[axis.name]) for axis in ruled)


def _bounded(axis: Axis, is_side: bool) -> Axis:  # noqa: FBT001
    """The axis itself; the side of a grid is no longer than four times the traced one: patches grow with its square."""
    return replace(axis, low=axis.step, high=4 * axis.size, edges=()) if is_side else axis


def axes_of(facts: Facts, laid: Sequence[Laid], traced: Mapping[str, int]) -> tuple[Axis, ...]:
    """The axes that are dimensions of inputs, and those that only decide the size of others."""
    named = {dim for one in laid for dim in one.field.dims}
    named |= {name for one in laid for rule in one.rules.values() for _, names in rule.terms for name in names}
    names = tuple(name for name in SIZES if name in named)
    return tuple(_axis(facts, name, names, traced) for name in names)


def _axis(facts: Facts, name: str, names: tuple[str, ...], traced: Mapping[str, int]) -> Axis:
    high: int | None
    edges: tuple[int, ...] = ()
    if name == "batch":
        high = 1 if _takes_one_row(facts) else None
    elif name == "choices":
        high = None
    else:
        high = bound_of(facts, name, names)
        if name == "sequence" and facts.prepared.longest is not None:
            high = min(high or facts.prepared.longest, facts.prepared.longest)
        edges = edges_of(facts, high)
    size = SIZES[name] if high is None else min(SIZES[name], high)
    return Axis(name=name, size=traced.get(name, size), high=high, edges=edges)


def _takes_one_row(facts: Facts) -> bool:
    """Whether a head refuses a batch because it has no padding id, by which it would find the end of each row."""
    no_padding = facts.setting("pad_token_id") is None
    return no_padding and facts.says("Cannot handle batch sizes > 1 if no padding token is defined")
