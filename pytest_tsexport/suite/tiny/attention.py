"""Heads and the sizes of heads: four of sixteen, or as many as there were and an eighth of their size."""

from __future__ import annotations

import re
from typing import Any

from pytest_tsexport.suite.tiny.part import Changes, Part, like
from pytest_tsexport.suite.tiny.widths import HEAD_SIZE, HEADS, WIDTH, divisor_of

_KEY_VALUE = re.compile(
    r".*(key_value_heads|kv_heads|key_value_attention_heads|num_query_groups|key_value_heads_per_layer)"
)
_HEADS = re.compile(r"(.*_)?(heads|n_head|heads_per_layer|heads_per_stage)")
_HEAD_SIZE = re.compile(r"(.*_)?(head_dim|d_kv|head_size|dim_head|d_head|kv_channels|headdim)")
_RANK = re.compile(r".*_(lora_)?rank")
_ROPE = 8
_LEAST_ROTATED = 32  # of a head, where all layers share positions that are made once


def heads(part: Part) -> Changes:
    """The numbers of heads and their sizes, each under the name that the config has for it."""
    if part.level.widths == "kept":
        return {}
    if part.keeps_ratios:
        return {
            name: value // divisor_of((value,), part.divisor)
            for name, value in part.sizes()
            if _HEAD_SIZE.fullmatch(name)
        }
    changes: Changes = {}
    for name, value in part.values.items():
        found = _number_of_heads(part, name, value)
        if found is not None:
            changes[name] = found
        elif type(value) is int and value > 0 and _HEAD_SIZE.fullmatch(name):
            changes[name] = min(value, HEAD_SIZE)
        elif type(value) is int and value > 0 and _RANK.fullmatch(name):
            changes[name] = min(value, WIDTH // 2)
    if part.get("attention_hidden_size") and part.get("attention_head_dim"):
        changes["attention_head_dim"] = 2 * HEAD_SIZE
    if part.get("use_rotary_embedding") and "num_attention_heads" in changes:
        changes["num_attention_heads"] = min(changes["num_attention_heads"], WIDTH // _LEAST_ROTATED)
    return changes | _latent(part) | _linear(part) | _state_space(part)


def _number_of_heads(part: Part, name: str, value: Any) -> Any:
    if isinstance(value, (list, tuple)) and value and (_KEY_VALUE.fullmatch(name) or _HEADS.fullmatch(name)):
        few = 2 if _KEY_VALUE.fullmatch(name) else HEADS
        return like(value, [few for _ in value])
    if type(value) is not int or value < 1:
        return None
    if _KEY_VALUE.fullmatch(name):
        whole = part.get(re.sub(r"(key_value|kv|key_value_attention)_heads", "attention_heads", name))
        whole = whole or part.get("num_attention_heads")
        return 1 if value == 1 else HEADS if value == whole else HEADS // 2
    if _HEADS.fullmatch(name):
        return min(value, HEADS)
    return None


def _latent(part: Part) -> Changes:
    """Multi-latent attention: the part with rotary positions, the part without, and both together."""
    rope, nope, both = part.get("qk_rope_head_dim"), part.get("qk_nope_head_dim"), part.get("qk_head_dim")
    if nope is None or rope is None:
        return {}
    small_rope = min(rope, _ROPE)
    small_nope = max(_ROPE, _ROPE * nope // rope) if rope else HEAD_SIZE
    changes: Changes = {"qk_rope_head_dim": small_rope, "qk_nope_head_dim": small_nope}
    if both is not None:
        changes["qk_head_dim"] = small_rope + small_nope
    if part.get("head_dim") == rope and rope:
        changes["head_dim"] = small_rope
    elif part.get("head_dim") == both and both:
        changes["head_dim"] = small_rope + small_nope
    elif part.get("head_dim") and rope and part.get("head_dim") % rope == 0:
        # The part with rotary positions is this share of a head.
        changes["head_dim"] = small_rope * (part.get("head_dim") // rope)
    return changes


def _linear(part: Part) -> Changes:
    """Linear attention: value heads are a multiple of key heads."""
    keys, values = part.get("linear_num_key_heads"), part.get("linear_num_value_heads")
    if keys is None or values is None:
        return {}
    return {"linear_num_key_heads": 2, "linear_num_value_heads": 2 if keys == values else 4}


def _state_space(part: Part) -> Changes:
    """Mamba: heads times their size is the inner width, which is a multiple of the hidden size."""
    expand = part.get("mamba_expand") or part.get("expand")
    counts = [name for name in ("mamba_n_heads", "mamba_num_heads", "n_mamba_heads", "num_heads") if part.get(name)]
    sizes = [name for name in ("mamba_head_dim", "mamba_d_head", "mamba_headdim", "head_dim") if part.get(name)]
    if not expand or not counts or not sizes:
        return {}
    inner = int(expand * WIDTH)
    changes: Changes = {counts[0]: inner // HEAD_SIZE, sizes[0]: HEAD_SIZE}
    if part.get("mamba_d_ssm"):
        changes["mamba_d_ssm"] = inner
    return changes
