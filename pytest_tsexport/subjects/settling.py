"""description, eager -> axes: how each axis varies of which nothing is known but its traced size.

Eager is asked. An axis that it takes at no other size becomes a fixed dimension, with its reason in `given_up`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pytest_tsexport.subjects.couplings import Found
from pytest_tsexport.subjects.fields import Axis, Description, Field
from pytest_tsexport.subjects.inquiry import Dimension, Inquiry
from pytest_tsexport.subjects.varying import varying


def dimension_of(axis: Axis, description: Description) -> Dimension:
    """All places of an axis in the inputs."""
    places = [(one.name, at) for one in description.fields for at, dim in enumerate(one.dims) if dim == axis.name]
    return Dimension(name=axis.name, size=axis.size, places=tuple(places))


def settled(description: Description, inquiry: Inquiry) -> Description:
    """The same inputs; each unsure axis has the step, the rule and the bounds by which eager takes other sizes."""
    unsure = {
        axis.name: dimension_of(axis, description) for axis in description.axes if axis.name in description.unsure
    }
    if not unsure:
        return description
    free = [one for one in unsure.values() if inquiry.accepts({one: one.size + 1})]
    refused = [one for one in unsure.values() if one not in free]
    found = varying(free, refused, inquiry)
    how = {dimension.name: one for dimension, one in found.dimensions.items()}
    fixed = {one.name: one.size for one in refused if one.name not in how}
    axes = (
        _settled(axis, how.get(axis.name, Found()), unsure[axis.name], inquiry) if axis.name in unsure else axis
        for axis in description.axes
        if axis.name not in fixed
    )
    fields = tuple(
        _fixed(replace(one, domain=found.domains.get(one.name, one.domain)), fixed) for one in description.fields
    )
    return replace(
        description,
        fields=fields,
        axes=tuple(axes),
        given_up={**description.given_up, **found.given_up},
        unsure=(),
    )


def _settled(axis: Axis, found: Found, dimension: Dimension, inquiry: Inquiry) -> Axis:
    """The axis with its step or rule; a free one has the bounds between which eager takes it."""
    high = axis.high if found.high is None else found.high
    varied = replace(axis, step=found.step, rule=found.rule, high=high)
    if axis.name == "batch" or varied.rule is not None:
        return varied
    low = _farthest(range(axis.size, 0, -varied.step), dimension, inquiry)
    if high is None:
        above = range(axis.size, 2 * axis.size + varied.step, varied.step)
        most = _farthest(above, dimension, inquiry)
        high = most if most < above[-1] else None
    return replace(varied, low=low, high=high)


def _farthest(sizes: range, dimension: Dimension, inquiry: Inquiry) -> int:
    """The last of the sizes that eager takes, if it takes all between the first one and that; found by halving."""
    if inquiry.accepts({dimension: sizes[-1]}):
        return sizes[-1]
    taken, refused = 0, len(sizes) - 1
    while refused - taken > 1:
        middle = (taken + refused) // 2
        if inquiry.accepts({dimension: sizes[middle]}):
            taken = middle
        else:
            refused = middle
    return sizes[taken]


def _fixed(field: Field, fixed: Mapping[str, int]) -> Field:
    dims = tuple(fixed.get(dim, dim) if isinstance(dim, str) else dim for dim in field.dims)
    return replace(field, dims=dims, domain=field.domain.with_axes(fixed))
