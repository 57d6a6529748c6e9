"""Transformers model -> descriptions: fields, axes and constants, from the signature and the config alone.

Where two layouts of an argument are possible there is a description for each, the likeliest first; eager chooses
(`subjects/choosing.py`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice, product

from torch import nn

from pytest_tsexport.errors import InputsError
from pytest_tsexport.subjects.fields import Axis, Description, Field
from pytest_tsexport.subjects.transformers.constants import constants
from pytest_tsexport.subjects.transformers.described_axes import axes_of, with_rules
from pytest_tsexport.subjects.transformers.facts import Facts, facts_of
from pytest_tsexport.subjects.transformers.layouts import TEXT_AXES, InputRule, Laid
from pytest_tsexport.subjects.transformers.rules import BY_NAME, PICTURES, SOUND, STEPS

MOST = 12
"""Eager is asked about no more descriptions with the same arguments than this; a call of a large model is dear."""

Sizes = Mapping[str, tuple[int, ...]]


def describe(model: nn.Module, names: Collection[str] | None = None, sizes: Sizes | None = None) -> Description | None:
    """The likeliest of `descriptions`; None for a module that is no Transformers model and wraps none."""
    return next(iter(descriptions(model, names, sizes)), None)


def descriptions(
    model: nn.Module,
    names: Collection[str] | None = None,
    sizes: Sizes | None = None,
    also: Collection[str] = (),
) -> tuple[Description, ...]:
    """The inputs of a Transformers model, or of a module that wraps one, as they may be; empty for any other module.

    The arguments are those of `model.forward`, in its order. Ranges come from the configs of the Transformers models
    inside. Nothing is run and no config is changed. `names` restricts the inputs to these arguments, those of a file
    that takes fewer; `also` adds to those that are inputs by default. `sizes` gives the shapes that a file was traced
    at, by argument; they replace the default sizes of their axes.

    Raises `InputsError`, one sentence that says which inputs to give, if no rule derives an argument that the model
    needs, if `names` has one that `forward` lacks, or if `sizes` does not fit the arguments.
    """
    facts = facts_of(model)
    if facts is None:
        return ()
    choices = _choices(facts, also) if names is None else [_named(facts, names)]
    found: dict[tuple[object, ...], Description] = {}
    misfits: list[InputsError] = []
    for arguments in choices:
        laid = islice(_arranged(facts, arguments), 4 * MOST)
        new = {(one.fields, one.axes): one for one in _fitting(facts, laid, sizes or {}, misfits)}
        found |= {key: one for key, one in islice(new.items(), MOST) if key not in found}
    if not found and misfits:
        raise misfits[0]
    passed = constants(facts)
    return tuple(replace(one, constants=passed) for one in found.values())


def _fitting(
    facts: Facts, arranged: Iterable[Sequence[Laid]], sizes: Sizes, misfits: list[InputsError]
) -> Iterator[Description]:
    """The descriptions that fit these sizes; `misfits` grows by why others do not."""
    for laid in arranged:
        try:
            yield _described(facts, laid, sizes)
        except InputsError as error:
            misfits.append(error)


def named_in(model: nn.Module, text: str) -> tuple[str, ...]:
    """The arguments with a rule that a message of eager names: `You have to specify pixel_values`."""
    facts = facts_of(model)
    words = set(re.findall(r"\w+", text))
    return tuple(name for name in (facts.arguments if facts else ()) if name in words and name in BY_NAME)


def _choices(facts: Facts, also: Collection[str]) -> list[list[str]]:
    """Which arguments may be the inputs, each in the order of `forward`.

    First the default ones, then those without the spare ones, without sound, without pictures, and text.
    """
    needed = _needed(facts) | set(also)
    taken = [
        name for name in facts.arguments if name in needed or (name in BY_NAME and _is_taken(facts, BY_NAME[name]))
    ]
    plain = [name for name in taken if name in needed or not BY_NAME[name].spare(facts)]
    text = [name for name in taken if name in needed or (name not in PICTURES | SOUND and BY_NAME[name].is_text(facts))]
    choices = [taken, plain, *_without(taken, needed), text] if "input_ids" in taken else [taken, plain]
    return [one or list(facts.arguments[:1]) for place, one in enumerate(choices) if one not in choices[:place]]


def _without(taken: Sequence[str], needed: Collection[str]) -> list[list[str]]:
    """The arguments without those of sound, and without those of pictures, if there are both."""
    kinds = [[name for name in taken if name in kind and name not in needed] for kind in (SOUND, PICTURES)]
    return [[name for name in taken if name not in kind] for kind in kinds] if all(kinds) else []


def _is_taken(facts: Facts, rule: InputRule) -> bool:
    """Whether an argument is an input by default: what prepares the inputs says so, or else its rule."""
    names = facts.prepared.names
    if rule.name == "token_type_ids" and "input_ids" in names:
        return rule.name in names
    return (rule.taken(facts) or rule.name in names) and bool(rule.laid_out(facts))


def _needed(facts: Facts) -> set[str]:
    """The arguments that `forward` requires, and the main ones; signatures call nearly every argument optional."""
    required = {one.name for one in facts.parameters if one.default is one.empty}
    if "input_ids" in facts.arguments:
        return required | {"input_ids"}
    return required | (set(facts.main_inputs) & set(facts.arguments) if facts.model in facts.towers else set())


def _named(facts: Facts, names: Collection[str]) -> list[str]:
    for name in names:
        if name not in facts.arguments:
            known = ", ".join(facts.arguments)
            raise InputsError(f"{facts.name} has no argument {name!r}; it takes {known}")
    return [name for name in facts.arguments if name in names]


def _arranged(facts: Facts, names: Sequence[str]) -> Iterator[tuple[Laid, ...]]:
    """The inputs in each combination of layouts that give no axis two sizes, those of likely layouts first."""
    laid = {name: BY_NAME[name].laid_out(facts) if name in BY_NAME else () for name in names}
    unknown = [name for name, layouts in laid.items() if not layouts]
    if unknown:
        raise InputsError(_lacking(facts, names, unknown))
    ranked = product(*(enumerate(layouts) for layouts in laid.values()))
    likely = sorted(ranked, key=lambda layouts: sum(rank for rank, _ in layouts))
    combined = (tuple(one for _, one in layouts) for layouts in likely)
    yield from (layouts for layouts in combined if _agree(layouts))


def _agree(layouts: Sequence[Laid]) -> bool:
    """Whether no axis has two sizes, and every mask lies along axes that another input has, and every grid too."""
    known: dict[str, int] = {}
    masks = [one.field for one in layouts if one.field.domain.marks_padding]
    others = {dim for one in layouts if one.field not in masks for dim in one.field.dims}
    sizes = (pair for one in layouts for pair in one.sizes.items())
    if not all(others.issuperset(one.rules) for one in layouts):
        return False
    return all(known.setdefault(*pair) == pair[1] for pair in sizes) and all(
        others.issuperset(mask.dims) for mask in masks
    )


def _lacking(facts: Facts, names: Sequence[str], unknown: Sequence[str]) -> str:
    needs = " and ".join([", ".join(unknown[:-1]), unknown[-1]] if len(unknown) > 1 else unknown)
    inputs = ", ".join(f"{name!r}: tensor" for name in names)
    return f"inputs cannot be derived for {facts.name}: it needs {needs}; give inputs={{{inputs}}}"


def _described(facts: Facts, laid: Sequence[Laid], sizes: Sizes) -> Description:
    fields = tuple(one.field for one in laid)
    own = {axis: size for one in laid for axis, size in one.sizes.items()}
    axes = with_rules(laid, axes_of(facts, laid, {**own, **_traced_sizes(fields, sizes)}))
    return Description(
        fields=fields,
        axes=axes,
        given_up=_left_out(facts, fields),
        unsure=_unsure(facts, axes),
    )


def _left_out(facts: Facts, fields: Sequence[Field]) -> dict[str, str]:
    """What prepares the inputs gives more of them than the export takes."""
    left = [name for name in facts.prepared.names if name not in {one.name for one in fields}]
    why = "the checkpoint's tokenizer or processor gives it, and the export does not take it"
    return {name: f"{name}: {why}" for name in left}


def _unsure(facts: Facts, axes: Sequence[Axis]) -> dict[str, tuple[int, ...]]:
    """The axes that are not those of text: the batch too, where there is another."""
    bound = {name for axis in axes if axis.rule for _, names in axis.rule.terms for name in names}
    names = [axis.name for axis in axes if axis.name not in TEXT_AXES | bound and axis.rule is None]
    return {} if names == ["batch"] else {name: STEPS[name](facts) if name in STEPS else () for name in names}


def _traced_sizes(fields: tuple[Field, ...], sizes: Mapping[str, tuple[int, ...]]) -> dict[str, int]:
    traced: dict[str, int] = {}
    for field in fields:
        shape = sizes.get(field.name)
        if shape is None:
            continue
        same_rank = len(shape) == len(field.dims)
        if same_rank:
            for dim, size in zip(field.dims, shape, strict=True):
                if isinstance(dim, str):
                    traced.setdefault(dim, size)
        if not same_rank or field.shape(traced) != tuple(shape):
            raise InputsError(f"{field.name} has shape {tuple(shape)}, which does not fit {field.dims}")
    return traced
