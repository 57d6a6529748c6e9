"""facts -> masks: which positions, frames, samples or pixels are real."""

from __future__ import annotations

from collections.abc import Callable

import torch

from pytest_tsexport.subjects.domains.base import Domain
from pytest_tsexport.subjects.domains.tail_masks import TailMask
from pytest_tsexport.subjects.transformers.facts import Facts
from pytest_tsexport.subjects.transformers.layouts import InputRule, Layout, always
from pytest_tsexport.subjects.transformers.rules.text import TEXT, has_ids, mask


def tail(_: Facts) -> Domain:
    """Padding at the end."""
    return TailMask(dtype=torch.int64)


def corner(_: Facts) -> Domain:
    """Padding below and right of a picture."""
    return TailMask(dtype=torch.int64, places=2)


def yes_or_no(_: Facts) -> Domain:
    """The same as booleans, for models that index with the mask."""
    return TailMask(dtype=torch.bool)


def takes(*names: str) -> Callable[[Facts], bool]:
    """Whether the model takes one of these arguments."""
    return lambda facts: any(name in facts.arguments for name in names)


def _sound_alone(facts: Facts) -> bool:
    return not has_ids(facts) and takes("input_values", "input_features", "audio_mel")(facts)


def _not_pictures(facts: Facts) -> bool:
    return has_ids(facts) or _sound_alone(facts) or takes("timesteps")(facts)


SAMPLES = Layout(("batch", "samples"), tail)
FRAMES = Layout(("batch", "frames"), tail)

RULES: tuple[InputRule, ...] = (
    InputRule(
        "attention_mask",
        (
            Layout(TEXT, mask, fits=has_ids),
            Layout(("batch", "samples"), tail, fits=_sound_alone),
            Layout(("batch", "frames"), tail, fits=_sound_alone),
            Layout(("batch", "steps"), mask, fits=takes("timesteps")),
        ),
        _not_pictures,
        spare=_sound_alone,
    ),
    InputRule("padding_mask", (SAMPLES, FRAMES), spare=always),
    InputRule("input_features_mask", (FRAMES,), spare=always),
    InputRule("feature_attention_mask", (FRAMES,), spare=always),
    InputRule("audio_mel_mask", (Layout(("batch", "frames"), yes_or_no),)),
    InputRule("pixel_mask", (Layout(("batch", "height", "width"), corner),), spare=always),
)
"""Arguments that say what is real and what was added to fill a batch."""

OF_SOUND = frozenset(("padding_mask", "input_features_mask", "feature_attention_mask", "audio_mel_mask"))
"""Masks of samples and frames."""
