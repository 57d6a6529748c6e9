"""How many layers are left: two, or one of each kind. Lists with an entry for each layer are cut alike."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from pytest_tsexport.suite.tiny.part import Changes, Part, like

_FEWEST = 2
_MOST = 8
_DEPTH = re.compile(
    r"(?!num_feat_extract_layers)((.*_)?(num_)?(hidden_|encoder_|decoder_|attention_)*layers|n_layers?|num_layers_per_stack|depth|.*_depth|(num_)?blocks"
    r"|[lrx]_layers|num_self_attends_per_block|(.*_)?num_layers?)"
)
_PERIOD = re.compile(r".*(_period|_interval|_sparse_step|every_n_layers|_every|_frequency|layer_group_size|_pattern)")
_POINTS_INSIDE = re.compile(
    r"vision_feature_layers?|spatial_(vision|target)_layers?|vision_intermediate_layers?|intermediate_hook_ids"
)
_PARTS_BY_NAME = {"intermediate_hook_ids": "patch_model_config"}
_INDICES = re.compile(
    r".*(indexes|_indices|indices|_layers|_layer_ids|_idxs|hook_ids|hidden_state_indices|return_idx|_blocks|feature_layer)"
)
_KINDS = re.compile(r".*(_types?|_type)")


def layers(part: Part, narrowed: Changes) -> Changes:
    """The numbers of layers, the lists that have an entry for each, and the lists of indices of layers."""
    depths = _depths(part)
    main, kept = _main_depth(part), kept_layers(part)
    changes: Changes = {name: len(kept) if value == main else _FEWEST for name, value in depths.items()}
    for name, value in part.lists():
        if _is_indices(name, value, main):
            changes[name] = like(part.values[name], _moved(value, main, len(kept)))
        elif len(value) == main and len(kept) < main:
            changes[name] = like(part.values[name], [narrowed.get(name, value)[index] for index in kept])
    changes |= _stages(part, main, len(kept)) | _single(part) | _blocks(part) | _inside(part, main)
    return changes | _side_by_side(part, {**narrowed, **changes})


def kept_layers(part: Part) -> tuple[int, ...]:
    """The layers that are left. A short beginning that has each kind is kept whole; else the first of each kind."""
    depth = _main_depth(part)
    kinds = _kinds(part, depth)
    periods = (value for name, value in part.sizes() if _PERIOD.fullmatch(name) and 1 < value <= _MOST)
    fewest = min(depth, max([_FEWEST, *periods]) if len(set(kinds)) < 2 else _FEWEST)
    fewest = max(fewest, min(depth, _given_to_neck(part)))
    each = part.level.each_kind
    first = [index for index in range(depth) if kinds[: index + 1].count(kinds[index]) <= each]
    whole = max([fewest, *(index + 1 for index in first)])
    chosen = list(range(min(whole, depth))) if whole <= _MOST else first
    others = (index for index in range(depth) if index not in chosen)
    while len(chosen) < fewest:
        chosen.append(next(others))
    return tuple(sorted(chosen))


def _given_to_neck(part: Part) -> int:
    """How many layers are given out to a neck that has a width for each of them."""
    neck, given = part.values.get("neck_hidden_sizes"), part.values.get("backbone_out_indices")
    return len(given) if neck and given and len(neck) == len(given) else 0


def _depths(part: Part) -> dict[str, int]:
    """The attributes that are numbers of layers. Numbers of stages are not, and stay."""
    stages = part.values.get("depths")
    stages = len(stages) if isinstance(stages, (list, tuple)) else 0
    return {name: value for name, value in part.sizes() if _DEPTH.fullmatch(name) and value > 1 and value != stages}


def _main_depth(part: Part) -> int:
    depths = _depths(part)
    main = depths.get(part.aliases.get("num_hidden_layers", "num_hidden_layers"))
    return main or max(depths.values(), default=0)


def _kinds(part: Part, depth: int) -> list[str]:
    """Of each layer, what the lists with an entry a layer say of it."""
    lists = [value for name, value in part.lists() if len(value) == depth and not _is_indices(name, value, depth)]
    return [str([value[index] for value in lists]) for index in range(depth)]


def _is_indices(name: str, value: Sequence[Any], depth: int) -> bool:
    if not depth or not _INDICES.fullmatch(name) or not all(type(one) is int for one in value):
        return False
    return len(set(value)) == len(value) and all(-depth <= one <= depth for one in value)


def _moved(indices: Sequence[int], old: int, new: int) -> list[int]:
    """Indices of layers, in the same order, spread over fewer of them; one for each that there was, if they fit."""
    if new >= old:
        return list(indices)
    moved = [index if index < 0 else min(new - 1 + (index == old), index * new // old) for index in indices]
    moved = [max(-new, index) for index in moved]
    return sorted(set(moved)) if all(one >= 0 for one in moved) else moved


def _stages(part: Part, old: int, new: int) -> Changes:
    """The stages of a backbone, which are its layers: names, and which of them are given out."""
    names = part.values.get("stage_names")
    if not isinstance(names, list) or len(names) != old + 1 or new >= old:
        return {}
    changes: Changes = {"stage_names": names[: new + 1]}
    given = part.values.get("_out_indices")
    if given:
        # The stem, which has the index 0, is given out by no model that did not do it before.
        indices = sorted({new if index == old else max(index * new // old, min(index, 1)) for index in given})
        changes["_out_indices"] = indices
        changes["_out_features"] = [names[index] for index in indices]
    return changes


def _single(part: Part) -> Changes:
    """Numbers that say from which layer, or up to which."""
    limits = {"first_k_dense_replace": 1, "num_dense_layers": 1, "max_window_layers": 1, "num_kv_shared_layers": 0}
    return {name: min(value, limits[name]) for name, value in part.sizes() if name in limits}


def _inside(part: Part, main: int) -> Changes:
    """Indices of layers of a part of the model: they stay within the layers that are left there."""
    changes: Changes = {}
    for name, value in part.values.items():
        many = list(value) if isinstance(value, (list, tuple)) else [value]
        depth = _depth_inside(part, name)
        if (
            (main and name not in _PARTS_BY_NAME)
            or not depth
            or not _POINTS_INSIDE.fullmatch(name)
            or not all(type(one) is int for one in many)
        ):
            continue
        near = [max(-depth, min(depth - 1, one)) for one in many]
        changes[name] = like(value, near) if isinstance(value, (list, tuple)) else near[0]
    return changes


def _side_by_side(part: Part, changes: Changes) -> Changes:
    """The width of a tower that gives out its last layer with some of those before, side by side."""
    given = changes.get("intermediate_layers_indices")
    width = changes.get("hidden_size", part.get("hidden_size"))
    if "vision_output_dim" not in part.values or not given or type(width) is not int:
        return {}
    return {"vision_output_dim": (len(given) + 1) * width}


def _depth_inside(part: Part, name: str) -> int:
    """The number of layers of the part that such an attribute points at, after that part was made small."""
    vision = name.startswith("vision") or "_vision_" in name
    inside = part.values.get(_PARTS_BY_NAME.get(name, "vision_config" if vision else "text_config"))
    depth = getattr(inside, "num_hidden_layers", 0)
    return depth if type(depth) is int else 0


def _blocks(part: Part) -> Changes:
    """One block a stage, in models that have stages."""
    changes: Changes = {}
    for name in (
        "depths",
        "num_block_repeats",
        "stage_num_blocks",
        "stage_numb_of_layers",
        "blocks_per_stage",
        "layer_depths",
    ):
        value = part.values.get(name)
        if isinstance(value, (list, tuple)):
            changes[name] = like(value, [1 for _ in value])
    return changes
