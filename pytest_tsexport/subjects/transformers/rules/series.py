"""facts -> time series: the past of each series, its features of time, and what was observed."""

from __future__ import annotations

from collections.abc import Callable

import torch

from pytest_tsexport.subjects.domains.base import Domain
from pytest_tsexport.subjects.domains.floats import Floats
from pytest_tsexport.subjects.domains.integers import Ids, Integers
from pytest_tsexport.subjects.domains.masks import Mask
from pytest_tsexport.subjects.transformers.facts import Facts
from pytest_tsexport.subjects.transformers.layouts import InputRule, Layout, Setting, always, floating, when_named


def values(facts: Facts) -> Domain:
    """Values of about the size 1."""
    return Floats(dtype=floating(facts))


def _observed(facts: Facts) -> Domain:
    # Every value may be missing but the first.
    return Mask(dtype=floating(facts))


def _past(facts: Facts) -> int | None:
    """The context, and before it the longest lag."""
    context = facts.setting("context_length", "prediction_length")
    lags = facts.setting("lags_sequence")
    if not isinstance(context, int):
        return None
    return context + (max(lags) if isinstance(lags, (list, tuple)) and lags else 0)


def _channels(facts: Facts) -> int | None:
    count = facts.setting("input_size", "num_input_channels")
    return count if isinstance(count, int) and count > 1 else None


def _input_channels(facts: Facts) -> int | None:
    count = facts.setting("num_input_channels")
    return count if isinstance(count, int) else None


def _time_features(facts: Facts) -> int | None:
    count = facts.setting("num_time_features")
    return count if isinstance(count, int) else None


def _categories(facts: Facts) -> Domain | None:
    counts = facts.setting("cardinality")
    return Ids(dtype=torch.int64, high=min(counts)) if isinstance(counts, (list, tuple)) and counts else None


def _timesteps(facts: Facts) -> Domain | None:
    longest = facts.setting("max_ep_len")
    return Integers(dtype=torch.int64, high=longest) if isinstance(longest, int) else None


def _has(name: str) -> Callable[[Facts], bool]:
    return lambda facts: bool(facts.setting(name))


PAST = {"steps": _past}
STEPS = (
    Layout(("batch", "steps", _input_channels), values, PAST),
    Layout(("batch", "steps", _channels), values, PAST),
    Layout(("batch", "steps"), values, PAST),
    Layout(("batch", "steps"), values),
)
OBSERVED = tuple(Layout(one.dims, _observed, one.sizes) for one in STEPS)
FUTURE = {"future_steps": Setting(("prediction_length",))}

RULES: tuple[InputRule, ...] = (
    InputRule("past_values", STEPS),
    InputRule("past_time_features", (Layout(("batch", "steps", _time_features), values, PAST),)),
    InputRule("past_observed_mask", OBSERVED, spare=always),
    InputRule("observed_mask", OBSERVED, spare=always),
    InputRule(
        "static_categorical_features",
        (Layout(("batch", Setting(("num_static_categorical_features",))), _categories),),
        _has("num_static_categorical_features"),
    ),
    InputRule(
        "static_real_features",
        (Layout(("batch", Setting(("num_static_real_features",))), values),),
        _has("num_static_real_features"),
    ),
    InputRule("future_values", (Layout(("batch", "future_steps"), values, FUTURE),), when_named),
    InputRule("future_time_features", (Layout(("batch", "future_steps", _time_features), values, FUTURE),), when_named),
    InputRule("past_values_padding", (Layout(("batch", "steps"), lambda _: Mask(dtype=torch.int64, padding=1)),)),
    InputRule("states", (Layout(("batch", "steps", Setting(("state_dim",))), values),)),
    InputRule("actions", (Layout(("batch", "steps", Setting(("act_dim",))), values),)),
    InputRule("rewards", (Layout(("batch", "steps", 1), values),)),
    InputRule("returns_to_go", (Layout(("batch", "steps", 1), values),)),
    InputRule("timesteps", (Layout(("batch", "steps"), _timesteps),)),
    InputRule("freq", (Layout(("batch", 1), lambda _: Integers(dtype=torch.int64, high=3)),)),
)
"""Arguments that hold time series."""
