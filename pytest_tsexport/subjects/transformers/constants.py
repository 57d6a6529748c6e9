"""model -> constants: the arguments that keep a Transformers model from returning anything but tensors."""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn

from pytest_tsexport.subjects.transformers.facts import Facts, facts_of


def constants_of(model: nn.Module) -> Mapping[str, object]:
    """The arguments that keep a Transformers model, or one that is wrapped, from returning anything but tensors.

    They hold for any inputs, so also for a model whose inputs cannot be derived. Empty for any other module.
    Raises `InputsError` if `forward` takes its inputs without names.
    """
    facts = facts_of(model)
    return {} if facts is None else constants(facts)


def constants(facts: Facts) -> dict[str, object]:
    """The same of a model whose facts are known."""
    defaults = {parameter.name: parameter.default for parameter in facts.parameters}
    # A cache is an object, not an answer. Heads that keep one without naming this argument pass it on inside, unless
    # they decide by an argument of their own whether to keep one.
    passes_on = facts.passes_on and "use_streaming" not in defaults and _keeps_cache(facts)
    caches = "use_cache" in defaults or passes_on
    found: dict[str, object] = {"use_cache": False} if caches else {}
    if "use_mems" in defaults:
        found["use_mems"] = False
    if defaults.get("output_router_logits") is True:
        # Transformers 4's Switch returns them by default, with plain numbers among them.
        found["output_router_logits"] = False
    return found


def _keeps_cache(facts: Facts) -> bool:
    """Whether the model, or a part of it that is a model by itself, takes a cache."""
    given = facts.gives("use_cache") or facts.parts_give("use_cache", beside="past_key_values")
    inside = facts.parts_take("past_key_values") and not given
    return inside or "past_key_values" in facts.arguments
