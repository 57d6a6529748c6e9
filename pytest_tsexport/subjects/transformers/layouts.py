"""What a rule about one argument says: its possible layouts, and when it is an input.

The rules themselves are in `rules/`, one module for each kind of input. They know names of arguments and of config
attributes, never names of models.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch

from pytest_tsexport.subjects.domains.base import Domain
from pytest_tsexport.subjects.fields import Field, Rule
from pytest_tsexport.subjects.transformers.facts import Facts, Side

SIZES: Mapping[str, int] = {
    # Never 1, which hides what is baked in; different where they meet, so that no axis can be taken for another.
    "batch": 2,
    "choices": 3,
    "images": 3,
    "sequence": 7,
    "decoder_sequence": 5,
    "encoder_sequence": 6,
    "qformer_sequence": 8,
    "text": 5,
    "points": 4,
    "boxes": 3,
    "classes": 6,
    "video_frames": 4,
    "frames": 24,
    "decoder_frames": 6,
    "samples": 4000,
    "steps": 10,
    "future_steps": 4,
    "grid_height": 4,
    "grid_width": 6,
    "patches": 24,
    "pixels": 384,
    "height": 64,
    "width": 96,
}
"""Every axis, with the size that a model is traced at if no layout says another."""

TEXT_AXES = frozenset(("choices", "text", "sequence", "decoder_sequence", "encoder_sequence", "qformer_sequence"))
"""The axes of text: how they vary is known, so eager is not asked."""

Number = Callable[[Facts], int | None]
"""A number that is read from the configs or the modules of a model; None if they do not say it."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A dimension whose size is in the config: the first of these attributes that is set, in the parts of this side."""

    names: tuple[str, ...]
    side: Side = "input"

    def __call__(self, facts: Facts) -> int | None:
        size = facts.setting(*self.names, side=self.side)
        return size if isinstance(size, int) else None


Dim = str | int | Number


def always(_: Facts) -> bool:
    """For every model that has the argument."""
    return True


def never(_: Facts) -> bool:
    """For no model."""
    return False


def when_named(_: Facts) -> bool:
    """Only if the caller names the argument, or if `forward` requires it."""
    return False


@dataclass(frozen=True, slots=True)
class Layout:
    """One way to arrange an input: its dimensions, its values, and the sizes of its axes if they are not `SIZES`.

    A dimension is an axis of `SIZES`, a number, or a function that reads a number (`Setting`). The axis `choices` is
    only there in multiple-choice heads. A domain that depends on an axis names it, as `Lengths` does; one that ties the
    numbers of one row together keeps them in order, as `Boxes` does. `domain` gives None if the model does not say what
    it needs. `fits` says for which models the layout is possible. `rules` say how
    axes follow from others, which need be dimensions of no input, and `steps` at which sizes these may be.
    """

    dims: tuple[Dim, ...]
    domain: Callable[[Facts], Domain | None]
    sizes: Mapping[str, Number] = field(default_factory=dict)
    fits: Callable[[Facts], bool] = always
    rules: Mapping[str, Callable[[Facts], Rule | None]] = field(default_factory=dict)
    steps: Mapping[str, Number] = field(default_factory=dict)

    def laid_out(self, name: str, facts: Facts) -> Laid | None:
        """The argument `name` of this model in this layout; None if its config lacks what the layout reads."""
        if not self.fits(facts):
            return None
        wanted = [dim for dim in self.dims if dim != "choices" or facts.is_head("ForMultipleChoice")]
        dims = tuple(dim if isinstance(dim, (str, int)) else dim(facts) for dim in wanted)
        known = tuple(dim for dim in dims if dim is not None)
        sizes = {axis: size for axis, number in self.sizes.items() if (size := number(facts)) is not None}
        domain = self.domain(facts)
        if domain is None or known != dims or len(sizes) != len(self.sizes):
            return None
        rules = {axis: rule for axis, read in self.rules.items() if (rule := read(facts)) is not None}
        steps = {axis: step for axis, read in self.steps.items() if (step := read(facts)) is not None}
        return Laid(Field(name, known, domain, facts.device), sizes, rules, steps)


@dataclass(frozen=True, slots=True)
class Laid:
    """One input in one layout, and the sizes of its axes that are not the default ones."""

    field: Field
    sizes: Mapping[str, int]
    rules: Mapping[str, Rule]
    steps: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class InputRule:
    """One argument: its layouts, the likeliest first, and whether it is an input by default.

    An argument that is not an input by default is one if the caller names it, if `forward` requires it, or if eager
    asks for it by name. `spare` says whether the model may answer without it: it is left out if eager refuses it.
    """

    name: str
    layouts: tuple[Layout, ...]
    taken: Callable[[Facts], bool] = always
    spare: Callable[[Facts], bool] = never

    def is_text(self, facts: Facts) -> bool:
        """Whether the input is text in its likeliest layout."""
        return any(set(laid.field.dims) & TEXT_AXES for laid in self.laid_out(facts)[:1])

    def laid_out(self, facts: Facts) -> tuple[Laid, ...]:
        """The input of this model in each layout that is possible; empty if its config lacks what they read."""
        found = (layout.laid_out(self.name, facts) for layout in self.layouts)
        unique: dict[tuple[object, ...], Laid] = {}
        for one in found:
            if one is not None:
                unique.setdefault((one.field.dims, tuple(one.sizes.items())), one)
        return tuple(unique.values())


def floating(facts: Facts) -> torch.dtype:
    """The dtype of the floats that a model takes: that of its first parameter of floats."""
    dtypes = (p.dtype for tower in facts.towers for p in tower.parameters() if p.is_floating_point())
    return next(dtypes, torch.get_default_dtype())
