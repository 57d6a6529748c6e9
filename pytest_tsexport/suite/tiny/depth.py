"""How many layers are left: two, or as many as show each kind of layer, and the lists with an entry a layer cut alike."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from pytest_tsexport.suite.tiny.part import Changes, Part, like

_FEWEST = 2
_MOST = 8
_DEPTH = re.compile(
    r"((.*_)?(num_)?(hidden_|encoder_|decoder_|attention_)*layers|n_layers?|num_layers_per_stack|depth|.*_depth|(num_)?blocks"
    r"|[lrx]_layers|num_self_attends_per_block|(.*_)?num_layers?)"
)
_PERIOD = re.compile(r".*(_period|_interval|_sparse_step|every_n_layers|_every|_frequency|layer_group_size|_pattern)")
_INDICES = re.compile(
    r".*(indexes|_indices|indices|_layers|_layer_ids|_idxs|hook_ids|hidden_state_indices|return_idx|_blocks|feature_layer)"
)
_KINDS = re.compile(r".*(_types?|_type)")


def layers(part: Part, narrowed: Changes) -> Changes:
    """The numbers of layers, the lists that have an entry for each, and the lists of indices of layers."""
    depths = {name: value for name, value in part.sizes() if _DEPTH.fullmatch(name) and value > 1}
    main = part.get("num_hidden_layers") or max(depths.values(), default=0)
    kept = _kept_layers(part, main) if isinstance(main, int) else ()
    changes: Changes = {}
    for name, value in depths.items():
        changes[name] = len(kept) if value == main and kept else _FEWEST
    for name, value in part.lists():
        if main and len(value) == main and len(kept) < main and not _is_indices(name, value, main):
            changes[name] = like(part.values[name], [narrowed.get(name, value)[index] for index in kept])
        elif main and _is_indices(name, value, main):
            changes[name] = like(part.values[name], _moved(value, main, len(kept)))
    return changes | _stages(part, main, len(kept)) | _single(part, main, len(kept)) | _blocks(part)


def _kept_layers(part: Part, depth: int) -> tuple[int, ...]:
    """The layers that are left. A short beginning that has each kind is kept whole; else the first of each kind."""
    kinds = _kinds(part, depth)
    fewest = max([_FEWEST, *(value for name, value in part.sizes() if _PERIOD.fullmatch(name) and 1 < value <= _MOST)])
    fewest = min(depth, fewest if len(set(kinds)) < 2 else _FEWEST)
    each = part.level.each_kind
    first = [index for index in range(depth) if kinds[: index + 1].count(kinds[index]) <= each]
    whole = max(first, default=0) + 1
    chosen = list(range(max(whole, fewest))) if max(whole, fewest) <= _MOST else first
    others = (index for index in range(depth) if index not in chosen)
    while len(chosen) < fewest:
        chosen.append(next(others))
    return tuple(sorted(chosen))


def _kinds(part: Part, depth: int) -> list[str]:
    """Of each layer, what the lists with an entry a layer say of it."""
    lists = [value for name, value in part.lists() if len(value) == depth and not _is_indices(name, value, depth)]
    return [str([value[index] for value in lists]) for index in range(depth)]


def _is_indices(name: str, value: Sequence[Any], depth: int) -> bool:
    if not _INDICES.fullmatch(name) or not all(type(one) is int for one in value):
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
        indices = sorted({new if index == old else index * new // old for index in given})
        changes["_out_indices"] = indices
        changes["_out_features"] = [names[index] for index in indices]
    return changes


def _single(part: Part, old: int, new: int) -> Changes:
    """Numbers that say from which layer, or up to which."""
    changes: Changes = {}
    for name in ("first_k_dense_replace", "num_dense_layers", "max_window_layers", "num_kv_shared_layers"):
        value = part.values.get(name)
        if type(value) is int:
            changes[name] = min(value, 1 if name != "num_kv_shared_layers" else 0)
    feature = part.values.get("vision_feature_layer")
    if type(feature) is int and feature < -1:
        changes["vision_feature_layer"] = -1
    return changes


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
