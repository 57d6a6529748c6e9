"""checkpoint folder -> what prepares its inputs: the tokenizer, image processor or feature extractor beside the config.

They say more about the inputs of production than the config does. Their JSON files are read; no class is loaded.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILES = ("tokenizer_config.json", "preprocessor_config.json", "processor_config.json")

PARTS = ("image_processor", "feature_extractor", "video_processor", "tokenizer")
"""Where `processor_config.json` keeps the settings of its parts."""

NO_MAXIMUM = 2**24
"""Tokenizers without a maximum write a huge one."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a checkpoint's folder says about inputs: empty and None where it says nothing.

    `names` are the inputs that are given to the model; `longest` is the longest text in tokens; `pad` fills text;
    `sides` are height and width of a picture.
    """

    names: tuple[str, ...] = ()
    longest: int | None = None
    pad: int | None = None
    sides: tuple[int, int] | None = None


def prepared(config: Any) -> Prepared:
    """What the folder that this config was loaded from says; nothing if it was not loaded from one."""
    name = getattr(config, "_name_or_path", None)
    folder = Path(name) if isinstance(name, str) and name else None
    if folder is None or not folder.is_dir():
        return Prepared()
    settings = [one for file in FILES for one in _settings(folder / file)]
    named = [name for one in settings for name in one.get("model_input_names") or ()]
    longest = _first(one.get("model_max_length") for one in settings)
    return Prepared(
        names=tuple(dict.fromkeys(named)),
        longest=longest if longest is not None and longest < NO_MAXIMUM else None,
        pad=_pad(settings),
        sides=next(filter(None, map(_sides, settings)), None),
    )


def _settings(file: Path) -> list[Mapping[str, Any]]:
    """The settings in a file, and those of the parts in it."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # it is not there, or it is no JSON: Transformers says so when it is loaded
        return []
    if not isinstance(found, dict):
        return []
    return [found, *(found[part] for part in PARTS if isinstance(found.get(part), dict))]


def _first(values: Iterable[Any]) -> int | None:
    return next((value for value in values if type(value) is int and value > 0), None)


def _pad(settings: Iterable[Mapping[str, Any]]) -> int | None:
    """The id of the padding token, by its text."""
    for one in settings:
        token = one.get("pad_token")
        text = token.get("content") if isinstance(token, dict) else token
        for number, added in (one.get("added_tokens_decoder") or {}).items():
            if text is not None and added.get("content") == text:
                return int(number)
    return None


def _sides(settings: Mapping[str, Any]) -> tuple[int, int] | None:
    """Height and width of a picture after it was cut or resized."""
    crop = settings.get("crop_size") if settings.get("do_center_crop") else None
    size = crop or (settings.get("size") if settings.get("do_resize", True) else None)
    if type(size) is int:
        return size, size
    if isinstance(size, dict) and type(size.get("height")) is int and type(size.get("width")) is int:
        return size["height"], size["width"]
    return None
