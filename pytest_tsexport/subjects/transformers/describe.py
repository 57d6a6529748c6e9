"""Transformers model -> description: fields, axes and constants, from the signature and the config alone."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from torch import nn

from pytest_tsexport.errors import InputsError
from pytest_tsexport.subjects.fields import Axis, Description, Field
from pytest_tsexport.subjects.transformers.facts import Facts, facts_of
from pytest_tsexport.subjects.transformers.input_rules import NEEDED, RULES, SIZES, InputRule
from pytest_tsexport.subjects.transformers.positions import bound_of, edges_of

_BY_NAME: Mapping[str, InputRule] = {rule.name: rule for rule in RULES}


def describe(
    model: nn.Module,
    names: Collection[str] | None = None,
    sizes: Mapping[str, tuple[int, ...]] | None = None,
) -> Description | None:
    """The inputs of a Transformers model, or of a module that wraps one; None for any other module.

    The arguments are those of `model.forward`, in its order. Ranges come from the configs of the Transformers models
    inside. Nothing is run and no config is changed. `names` restricts the inputs to these arguments, those of a file
    that takes fewer. `sizes` gives the shapes that a file was traced at, by argument; they replace the default sizes
    of their axes.

    Raises `InputsError`, one sentence that says which inputs to give, if no rule derives an argument that the model
    needs, if `names` has one that `forward` lacks, or if `sizes` does not fit the arguments.
    """
    facts = facts_of(model)
    if facts is None:
        return None
    chosen = _chosen(facts) if names is None else _named(facts, names)
    fields = _fields(facts, chosen)
    return Description(fields=fields, axes=_axes(facts, fields, sizes or {}), constants=_constants(facts))


def constants_of(model: nn.Module) -> Mapping[str, object]:
    """The arguments that keep a Transformers model, or one that is wrapped, from returning anything but tensors.

    They hold for any inputs, so also for a model whose inputs cannot be derived. Empty for any other module.
    Raises `InputsError` if `forward` takes its inputs without names.
    """
    facts = facts_of(model)
    return {} if facts is None else _constants(facts)


def _constants(facts: Facts) -> dict[str, object]:
    defaults = {parameter.name: parameter.default for parameter in facts.parameters}
    # A cache is an object, not an answer. Heads that keep one without naming this argument pass it on inside.
    caches = "use_cache" in defaults or (facts.passes_on and "past_key_values" in defaults)
    constants: dict[str, object] = {"use_cache": False} if caches else {}
    if "use_mems" in defaults:
        constants["use_mems"] = False
    if defaults.get("output_router_logits") is True:
        # Transformers 4's Switch returns them by default, with plain numbers among them.
        constants["output_router_logits"] = False
    return constants


def _chosen(facts: Facts) -> list[str]:
    """The arguments that are inputs by default, and those that the model needs, in the order of `forward`."""
    main = set(facts.main_inputs) if facts.model in facts.towers else set()
    if "input_ids" in facts.arguments:
        main = {"input_ids"}
    chosen = []
    for parameter in facts.parameters:
        rule = _BY_NAME.get(parameter.name)
        needed = parameter.default is parameter.empty or parameter.name in NEEDED or parameter.name in main
        if needed or (rule is not None and rule.taken(facts)):
            chosen.append(parameter.name)
    return chosen or list(facts.arguments[:1])


def _named(facts: Facts, names: Collection[str]) -> list[str]:
    for name in names:
        if name not in facts.arguments:
            known = ", ".join(facts.arguments)
            raise InputsError(f"{facts.name} has no argument {name!r}; it takes {known}")
    return [name for name in facts.arguments if name in names]


def _fields(facts: Facts, chosen: Iterable[str]) -> tuple[Field, ...]:
    fields = {name: _BY_NAME[name].field(facts) if name in _BY_NAME else None for name in chosen}
    unknown = [name for name, field in fields.items() if field is None]
    if unknown:
        needs = " and ".join([", ".join(unknown[:-1]), unknown[-1]] if len(unknown) > 1 else unknown)
        inputs = ", ".join(f"{name!r}: tensor" for name in chosen)
        raise InputsError(
            f"inputs cannot be derived for {facts.name}: it needs {needs}; give inputs={{{inputs}}} to the marker"
        )
    return tuple(field for field in fields.values() if field is not None)


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
    """Whether a head refuses a batch because it has no padding id, by which it would find the end of each row."""
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
