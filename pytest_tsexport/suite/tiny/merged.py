"""configs -> widths of merged patches: the states of a square of patches side by side, as wide as all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

_NAMES = ("merged_hidden_size", "out_hidden_size")
_MERGES = ("spatial_merge_size", "merge_size")


def merged(configs: Sequence[Any]) -> Callable[[], None]:
    """What sets these widths again after the configs were made small, where they followed from another width before."""
    found = [
        (config, name, part, side**2)
        for config in configs
        for name in _NAMES
        for part in configs
        for side in _sides(configs)
        if vars(config).get(name) == (vars(part).get("hidden_size") or 0) * side**2 and vars(config).get(name)
    ]

    def restore() -> None:
        for config, name, part, patches in found:
            vars(config)[name] = vars(part)["hidden_size"] * patches

    return restore


def _sides(configs: Sequence[Any]) -> set[int]:
    """How many patches of each side are merged, if it is more than one."""
    values = (vars(config).get(name) for config in configs for name in _MERGES)
    return {value for value in values if type(value) is int and value > 1}
