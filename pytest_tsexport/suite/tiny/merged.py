"""configs -> widths that follow from others: of merged patches, as wide as all of them, and of what reads channels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

_NAMES = ("merged_hidden_size", "out_hidden_size")
_PROJECTED = "projection_dim"
_CHANNELS = "downsample_channels"
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

    projected = [
        (config, text)
        for config in configs
        for text in configs
        if "vocab_size" in vars(text) and _width(text) and vars(config).get(_PROJECTED) == _width(text)
    ]
    multiplied = [config for config in configs if _channels(config) and _channels(config) == _width(config)]

    def restore() -> None:
        for config, name, part, patches in found:
            vars(config)[name] = vars(part)["hidden_size"] * patches
        for config, text in projected:
            vars(config)[_PROJECTED] = _width(text)
        for config in multiplied:
            vars(config)["hidden_size"] = _channels(config)
        for config in configs:
            _shuffle(config)
            _read_by_encoder(config)

    return restore


def _width(config: Any) -> int | None:
    width = vars(config).get("hidden_size") or vars(config).get("d_model")
    return width if type(width) is int else None


def _channels(config: Any) -> int | None:
    """The channels of the last block, where a config says how they grow."""
    first, factors = vars(config).get("base_channels"), vars(config).get("channel_multiplier")
    return int(first * factors[-1]) if first and factors else None


def _shuffle(config: Any) -> None:
    """Where pixels are shuffled, one layer takes the states of all patches that become one."""
    ratio, width = vars(config).get("pixel_shuffle_ratio"), vars(config).get("hidden_size")
    if isinstance(ratio, float) and ratio and "projector_input_dim" in vars(config):
        vars(config)["intermediate_size"] = round(width / ratio**2)


def _sides(configs: Sequence[Any]) -> set[int]:
    """How many patches of each side are merged, if it is more than one."""
    values = (vars(config).get(name) for config in configs for name in _MERGES)
    return {value for value in values if type(value) is int and value > 1}


def _read_by_encoder(config: Any) -> None:
    """What one part makes of a picture, the encoder beside it takes: the last of its channels."""
    encoder = getattr(vars(config).get("encoder_config"), "hidden_size", None)
    for part in vars(config).values():
        channels = getattr(part, _CHANNELS, None)
        if encoder is not None and channels:
            setattr(part, _CHANNELS, [*channels[:-1], encoder])
