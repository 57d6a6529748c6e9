"""The table of arguments: one rule for each, by the kind of input. One that needs two kinds of rule is in the first."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pytest_tsexport.subjects.transformers.facts import Facts
from pytest_tsexport.subjects.transformers.layouts import InputRule
from pytest_tsexport.subjects.transformers.rules import (
    audio,
    grids,
    masks,
    pairs,
    prompts,
    series,
    states,
    text,
    vision,
)

RULES: tuple[InputRule, ...] = (
    *text.RULES,
    *masks.RULES,
    *states.RULES,
    *vision.RULES,
    *grids.RULES,
    *pairs.RULES,
    *prompts.RULES,
    *audio.RULES,
    *series.RULES,
)
"""Every argument that can be derived."""

BY_NAME: Mapping[str, InputRule] = {rule.name: rule for rule in RULES}
"""The same, by the name of the argument."""

STEPS: Mapping[str, Callable[[Facts], tuple[int, ...]]] = vision.STEPS
"""By which steps an axis may vary, where the config says it."""

PICTURES = frozenset(rule.name for rule in (*vision.RULES, *grids.RULES, *pairs.RULES, *prompts.RULES)) | {"pixel_mask"}
"""Arguments of pictures, with their masks."""

SOUND = frozenset(rule.name for rule in audio.RULES) | masks.OF_SOUND
"""Arguments of sound, with their masks."""
