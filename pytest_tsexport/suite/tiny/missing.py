"""Attributes that a model reads and its default config leaves out, or leaves None: filled in when it does not build."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any

from pytest_tsexport.suite.tiny.parts import parts_of
from pytest_tsexport.suite.tiny.values import sections
from pytest_tsexport.suite.tiny.widths import HEAD_SIZE, HEADS, VOCABULARY, WIDTH

_LACKS = re.compile(r"'(\w+)' object has no attribute '(\w+)'")
_IMAGE_IDS = 32
_THETA = 10_000.0

Default = Callable[[Any], Any]


def _heads(config: Any) -> Any:
    return config.num_attention_heads


def _head_size(config: Any) -> Any:
    return config.hidden_size // config.num_attention_heads


def _each_layer(*kinds: str) -> Default:
    """The kinds of layers by turns, the last of them to the end."""
    return lambda config: [kinds[min(index, len(kinds) - 1)] for index in range(config.num_hidden_layers)]


def _sectioned(config: Any) -> dict[str, Any] | None:
    """Settings of rotary positions with one section for each axis of a picture, if the class of the config knows them.

    Transformers 4 leaves them out of its default configs.
    """
    code = getattr(inspect.unwrap(type(config).__init__), "__code__", None)
    if "mrope_section" not in str(getattr(code, "co_consts", ())):
        return None
    half = (getattr(config, "head_dim", None) or _head_size(config)) // 2
    return {"rope_type": "default", "type": "default", "mrope_section": sections(half)}


def _window(config: Any) -> int | None:
    """A window, where layers that look at one have heads of their own: the model makes their mask in any case."""
    return 8 if "num_sliding_attention_heads" in vars(config) else None


def _just(value: Any) -> Default:
    return lambda _: value


def _image_vocabulary(_: Any) -> dict[str, int]:
    """The ids of image tokens, by names that spell their numbers in letters, or have them, as the models expect it."""
    spelled = ("".join(chr(ord("A") + int(digit)) for digit in str(index)) for index in range(_IMAGE_IDS))
    letters = {f"IMGIMG{name}Z": VOCABULARY - 2 * _IMAGE_IDS + i for i, name in enumerate(spelled)}
    numbers = {f"<|visual token {index:06d}|>": VOCABULARY - 1 - index % _IMAGE_IDS for index in range(VOCABULARY)}
    return {"<image>": 8, "<|extra_200|>": 9} | letters | numbers


# What is None by default, and read anyhow by models that do not build with it.
_INSTEAD_OF_NONE: Mapping[str, Default] = {
    "head_dim": _head_size,
    "num_key_value_heads": _heads,
    "vocab_size": _just(VOCABULARY),
    "layer_types": _each_layer("full_attention"),
    "mlp_layer_types": _each_layer("dense", "sparse"),
    "n_routed_experts": _just(4),
    "num_experts_per_tok": _just(2),
    "n_shared_experts": _just(1),
    "num_experts": _just(4),
    "top_k_experts": _just(2),
    "moe_intermediate_size": _just(WIDTH),
    "n_group": _just(1),
    "topk_group": _just(1),
    "sliding_window": _window,
    "rope_scaling": _sectioned,
    "indexer_n_heads": _just(HEADS),
    "indexer_kv_heads": _just(1),
    "indexer_head_dim": _just(HEAD_SIZE),
    "indexer_budget": _just(16),
    "indexer_compress_ratio": _just(4),
    "prediction_length": _just(4),
    "context_length": _just(8),
    "clip_qkv": _just(8.0),
    "pad_token_id": _just(0),
    "mask_token_id": _just(1),
    "default_language": lambda config: config.languages[0],
    "vocabulary_map": _image_vocabulary,
    "downsample_rate": _just("1/2"),
    "deepstack_layer_map": _just([[0, 0]]),
    # The blocks of a head.
    "upsample_out_channels": _just([HEAD_SIZE]),
    "upsample_kernel_sizes": _just([4]),
    "conv_out_channels": _just([HEAD_SIZE]),
    "conv_kernel_sizes": _just([1]),
}

# What a config class does not have at all, though the model asks it.
_INSTEAD_OF_NOTHING: Mapping[str, Default] = {
    "num_key_value_heads": _heads,
    "rope_theta": _just(_THETA),
    "dropout_rate": _just(0.0),
}

# Lists that are empty by default, and without which there is nothing to compute.
_INSTEAD_OF_EMPTY: Mapping[str, Any] = {"projector_scale_factors": (1.0,)}


_TOWERS = ("vision_config", "audio_config")


def default_config(kind: type[Any]) -> Any:
    """The default config of a class, with what it leaves empty though the model runs only if it is not.

    Towers for pictures and sound that it leaves out are put in: without them there is nothing to see and to hear.
    """
    config = kind()
    empty = {name: value for name, value in _INSTEAD_OF_EMPTY.items() if getattr(config, name, None) == ()}
    empty |= {name: {} for name in _TOWERS if _is_left_out(config, name)}
    return kind(**empty) if empty else config


def _is_left_out(config: Any, tower: str) -> bool:
    return tower in getattr(config, "sub_configs", {}) and getattr(config, tower, None) is None


def filled_in(config: Any, error: Exception) -> bool:
    """Gives a config what an error says that it lacks; False if it lacks nothing that has a value here."""
    lacks = _LACKS.search(str(error))
    if lacks and lacks[1] != "NoneType":
        return _given(config, lacks[1], lacks[2])
    changed = _rotary_by_kind(config, error)
    for part in parts_of(config):
        for name, default in _INSTEAD_OF_NONE.items():
            if name in vars(part) and vars(part)[name] is None and (value := default(part)) is not None:
                vars(part)[name] = value
                changed = True
    return changed


def _given(config: Any, kind: str, name: str) -> bool:
    default = _INSTEAD_OF_NOTHING.get(name)
    lacking = [part for part in parts_of(config) if type(part).__name__ == kind and name not in vars(part)]
    if default is None or not lacking:
        return False
    for part in lacking:
        vars(part)[name] = default(part)
    return True


def _rotary_by_kind(config: Any, error: Exception) -> bool:
    """Settings of rotary positions for each kind of layer, where the model asks for one and there is one for all."""
    kind = error.args[0] if isinstance(error, KeyError) else None
    changed = False
    for part in parts_of(config):
        settings = vars(part).get("rope_parameters")
        if isinstance(settings, dict) and kind not in settings and kind in (vars(part).get("layer_types") or ()):
            new = settings or {"rope_type": "default", "rope_theta": _THETA, **_sections_of(part)}
            vars(part)["rope_parameters"] = {name: dict(new) for name in part.layer_types}
            changed = True
    return changed


def _sections_of(config: Any) -> dict[str, Any]:
    if "mrope_section" not in getattr(config, "ignore_keys_at_rope_validation", ()):
        return {}
    return {"mrope_section": sections((getattr(config, "head_dim", None) or _head_size(config)) // 2)}
