"""Special ids that the smaller vocabulary does not have: they move to its top, and equal ids stay equal."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from pytest_tsexport.suite.tiny.part import like
from pytest_tsexport.suite.tiny.widths import VOCABULARY

_ID = re.compile(
    r"(.*_)?(token_id|token_ids|token_index|_index|pad_id|start_id|end_id|newline_id|eos_id|bos_id|patch_id|unk_index)"
)

_PLACEHOLDER = re.compile(r"(image|video|audio)_token_(id|index)")

_LEFT_OUT = "vision_start_token_id"
"""Checkpoints of models that see and hear have it, their default configs do not, and the models ask for it."""


def move_special_ids(configs: Iterable[Any]) -> None:
    """Gives each id that is too large a new one, the same in all configs of a model."""
    configs = list(configs)
    found = sorted(
        {
            one
            for config in configs
            for name, value in vars(config).items()
            if _ID.fullmatch(name)
            for one in _ids(value)
        }
    )
    taken = {one for one in found if one < VOCABULARY}
    free = (one for one in reversed(range(VOCABULARY)) if one not in taken)
    moved = {one: next(free) for one in found if one >= VOCABULARY}
    for config in configs:
        if hasattr(config, "image_token_id") and hasattr(config, "audio_start_token_id"):
            vars(config).setdefault(_LEFT_OUT, next(free))
        for name, value in list(vars(config).items()):
            if value is None and _PLACEHOLDER.fullmatch(name):
                # Without an id for it, no picture and no recording reaches the text.
                vars(config)[name] = next(free)
            if _ID.fullmatch(name) and any(one in moved for one in _ids(value)):
                vars(config)[name] = (
                    moved[value] if type(value) is int else like(value, [moved.get(one, one) for one in value])
                )


def _ids(value: Any) -> list[int]:
    values = value if isinstance(value, (list, tuple)) else [value]
    return [one for one in values if type(one) is int and one >= 0]
