"""Transformers model -> description: fields, axes, domains and constants from signature and config alone."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from torch import nn

from pytest_tsexport.errors import InputsError
from pytest_tsexport.subjects.fields import Axis, Description, Field
from pytest_tsexport.subjects.transformers.facts import Facts, facts_of
from pytest_tsexport.subjects.transformers.input_rules import NEEDED, ROWS, WIDTH, Row
from pytest_tsexport.subjects.transformers.positions import bound_of, edges_of

SIZES: Mapping[str, int] = {
    # Never 1, which hides what is baked in; all different, so that no axis can stand in for another.
    "batch": 2,
    "choices": 3,
    "sequence": 7,
    "decoder_sequence": 5,
    "encoder_sequence": 6,
}
"""Every axis, with the size that a model is traced at where nobody says."""

_BY_NAME: Mapping[str, Row] = {row.name: row for row in ROWS}


def describe(
    model: nn.Module,
    names: Collection[str] | None = None,
    sizes: Mapping[str, tuple[int, ...]] | None = None,
) -> Description | None:
    """The inputs of a Transformers model, or of a module that wraps one; None of any other module.

    The arguments are those of `model.forward`, in its order; ranges come from the configs of the Transformers
    models found inside. Nothing is run and no config is changed. `names` restricts the inputs to these
    arguments, those of a file that takes fewer. `sizes` gives the shapes that a file was traced at, by argument:
    they replace the default sizes of the axes they run along.

    Raises `InputsError`, one sentence that says which inputs to give, where an argument that the model needs is
    not in the table, where `names` has one that `forward` lacks, or where `sizes` does not fit the arguments.
    """
    facts = facts_of(model)
    if facts is None:
        return None
    chosen = _chosen(facts) if names is None else _named(facts, names)
    _require_rows(facts, chosen)
    choices = ("choices",) if facts.is_head("ForMultipleChoice") else ()
    fields = tuple(_field(facts, _BY_NAME[name], choices) for name in chosen)
    return Description(fields=fields, axes=_axes(facts, fields, sizes or {}), constants=_constants(facts))


def constants_of(model: nn.Module) -> Mapping[str, object]:
    """The arguments that keep what is no tensor out of the output of a Transformers model, or of one wrapped.

    These hold whatever the inputs are, so for a model too whose inputs cannot be derived. Empty for any other
    module. Raises `InputsError` where `forward` takes its inputs without names.
    """
    facts = facts_of(model)
    return {} if facts is None else _constants(facts)


def _constants(facts: Facts) -> dict[str, object]:
    defaults = {parameter.name: parameter.default for parameter in facts.parameters}
    # A cache is an object, and no answer; heads that keep one and do not name this argument hand it on inside.
    caches = "use_cache" in defaults or (facts.passes_on and "past_key_values" in defaults)
    constants: dict[str, object] = {"use_cache": False} if caches else {}
    if "use_mems" in defaults:
        constants["use_mems"] = False
    if defaults.get("output_router_logits") is True:
        # Transformers 4's Switch returns them unasked, with plain numbers among them.
        constants["output_router_logits"] = False
    return constants


def _chosen(facts: Facts) -> list[str]:
    """The arguments that are inputs unasked, and those that the model needs, in the order of `forward`."""
    main = set(facts.main_inputs) if facts.model in facts.towers else set()
    if "input_ids" in facts.arguments:
        main = {"input_ids"}
    chosen = []
    for parameter in facts.parameters:
        row = _BY_NAME.get(parameter.name)
        needed = parameter.default is parameter.empty or parameter.name in NEEDED or parameter.name in main
        if needed or (row is not None and row.taken(facts)):
            chosen.append(parameter.name)
    return chosen or list(facts.arguments[:1])


def _named(facts: Facts, names: Collection[str]) -> list[str]:
    for name in names:
        if name not in facts.arguments:
            known = ", ".join(facts.arguments)
            raise InputsError(f"{facts.name} has no argument {name!r}; it takes {known}")
    return [name for name in facts.arguments if name in names]


def _require_rows(facts: Facts, chosen: Iterable[str]) -> None:
    narrow = facts.setting(*WIDTH) is None
    unknown = [name for name in chosen if name not in _BY_NAME or (narrow and _BY_NAME[name].wide)]
    if unknown:
        needs = " and ".join([", ".join(unknown[:-1]), unknown[-1]] if len(unknown) > 1 else unknown)
        inputs = ", ".join(f"{name!r}: tensor" for name in chosen)
        raise InputsError(
            f"inputs cannot be derived for {facts.name}: it needs {needs}; give inputs={{{inputs}}} to the marker"
        )


def _field(facts: Facts, row: Row, choices: tuple[str, ...]) -> Field:
    dims: tuple[str | int, ...] = ("batch", *choices, row.axis)
    if row.wide:
        dims = (*dims, int(facts.setting(*WIDTH)))
    return Field(row.name, dims, row.domain(facts))


def _axes(facts: Facts, fields: tuple[Field, ...], sizes: Mapping[str, tuple[int, ...]]) -> tuple[Axis, ...]:
    traced = _traced_sizes(fields, sizes)
    named = {dim for field in fields for dim in field.dims}
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
        edges = edges_of(facts, high)
    size = SIZES[name] if high is None else min(SIZES[name], high)
    return Axis(name=name, size=traced.get(name, size), high=high, edges=edges)


def _takes_one_row(facts: Facts) -> bool:
    """Whether a head refuses a batch for want of a padding id, to know the end of each row by."""
    no_padding = facts.setting("pad_token_id") is None
    return no_padding and facts.says("Cannot handle batch sizes > 1 if no padding token is defined")


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
