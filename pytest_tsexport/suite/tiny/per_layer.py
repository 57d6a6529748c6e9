"""Configs whose layers have values of their own: these are made small like the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Overrides = Mapping[int, Mapping[str, Any]]


def overrides_of(config: Any) -> Overrides:
    """What single layers have of their own, by the index of the layer; empty for a config without such layers."""
    if not getattr(config, "is_heterogeneous", False):
        return {}
    return {int(index): own for index, own in config.to_dict()["per_layer_config"].items()}


def give_back(config: Any, overrides: Overrides, kept: tuple[int, ...], small: Callable[[Any], Any]) -> None:
    """Gives the layers that are left what they had of their own, made small."""
    if not overrides:
        return
    new = {position: small(overrides[index]) for position, index in enumerate(kept) if index in overrides}
    config.per_layer_config = None  # the attributes of a config are checked against the layers that it had before
    config.per_layer_config = new or None
