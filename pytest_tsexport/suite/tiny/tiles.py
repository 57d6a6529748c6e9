"""configs -> what follows from the picture that a tower reads: sides of larger pictures, and tables by its patches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_MOST_QUERIES = 8


def follow_the_picture(configs: Sequence[Any]) -> None:
    """Sets these attributes of the configs by the side of the picture, after that was made small."""
    towers = [one for one in configs if type(vars(one).get("image_size")) is int]
    tower = min(towers, key=lambda one: vars(one)["image_size"], default=None)
    if tower is not None:
        for config in configs:
            _resize(config, vars(tower)["image_size"])
            _look_up(config, vars(tower))


def _resize(config: Any, side: int) -> None:
    """The sides to which pictures are resized before they are cut into tiles: as many tiles as before."""
    listed = vars(config).get("image_grid_pinpoints")
    if isinstance(listed, (list, tuple)) and listed:
        tile = min(one for pair in listed for one in pair)
        vars(config)["image_grid_pinpoints"] = [[one // tile * side for one in pair] for pair in listed]


def _look_up(config: Any, tower: dict[str, Any]) -> None:
    """The number of queries for each number of patches: one entry, for the patches of the picture."""
    name, patch = "projector_patch_to_query_dict", tower.get("patch_size")
    if isinstance(vars(config).get(name), dict) and type(patch) is int:
        vars(config)[name] = {(tower["image_size"] // patch) ** 2: _MOST_QUERIES}
        vars(config)[f"max_value_{name}"] = _MOST_QUERIES
