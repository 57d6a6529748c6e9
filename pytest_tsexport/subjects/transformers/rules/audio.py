"""facts -> sound: raw samples, and features of frames (log-mel bins)."""

from __future__ import annotations

import torch
from torch import nn

from pytest_tsexport.subjects.domains.base import Domain
from pytest_tsexport.subjects.domains.floats import Floats
from pytest_tsexport.subjects.domains.masks import Switch
from pytest_tsexport.subjects.transformers.facts import Facts
from pytest_tsexport.subjects.transformers.layouts import InputRule, Layout, Setting, always, floating
from pytest_tsexport.subjects.transformers.rules.states import WIDTH

BINS = Setting(
    (
        "num_mel_bins",
        "num_mel_channels",
        "feature_projection_input_dim",
        "n_mels",
        "mel_bins",
        "input_feat_size",
        "feature_size",
        "input_dim",
        "num_features",
        "model_in_dim",
    ),
    "audio",
)
"""How many features a frame has."""

CHANNELS = Setting(("audio_channels", "num_channels", "in_channels"), "audio")


def samples(facts: Facts) -> Domain:
    """Raw samples of zero mean and unit variance, as feature extractors give them."""
    return Floats(dtype=floating(facts))


def wave(facts: Facts) -> Domain:
    """Raw samples within [-1, 1], mostly."""
    return Floats(dtype=floating(facts), scale=0.3)


def _first_width(facts: Facts) -> int | None:
    """How many features the first linear layer takes."""
    layers = (m for t in facts.towers for m in t.modules() if isinstance(m, nn.Linear))
    return next((layer.in_features for layer in layers), None)


def _first_channels(facts: Facts) -> int | None:
    """How many features the first convolution over time takes."""
    layers = (m for t in facts.towers for m in t.modules() if isinstance(m, nn.Conv1d))
    return next((layer.in_channels for layer in layers), None)


def _longest(facts: Facts) -> int | None:
    """The frames of the only length that the model takes: two for each position."""
    count = facts.setting("max_source_positions", side="audio")
    return 2 * count if isinstance(count, int) else None


def _max_length(facts: Facts) -> int | None:
    count = facts.setting("max_length", "spec_size", side="audio")
    return count if isinstance(count, int) else None


def _chunk(facts: Facts) -> int | None:
    """The frames that are convolved together: a recording has some whole chunks of them."""
    half = facts.setting("n_window", side="audio")
    return 2 * half if isinstance(half, int) else None


def _first_bins(facts: Facts) -> int | None:
    return BINS(facts) or _first_width(facts)


FRAMES = (
    Layout(("batch", "frames", BINS), samples),
    Layout(("batch", BINS, "frames"), samples),
    Layout(("batch", BINS, "frames"), samples, {"frames": _chunk}),
    Layout(("batch", BINS, "frames"), samples, {"frames": _longest}),
    Layout(("batch", "frames", _first_width), samples),
    Layout(("batch", _first_channels, "frames"), samples),
    Layout(("batch", 1, "frames", BINS), samples),
    Layout(("batch", 1, "frames", BINS), samples, {"frames": _max_length}),
)

LONGER = 16_000
"""Samples for heads that look at many frames at once."""

VALUES = (
    Layout(("batch", "samples"), samples),
    Layout(("batch", "samples"), samples, {"samples": lambda _: LONGER}),
    Layout(("batch", 1, "samples"), wave),
    Layout(("batch", CHANNELS, "samples"), wave),
    Layout(("batch", "frames", BINS), samples, {"frames": _max_length}),
    Layout(("batch", "frames", BINS), samples),
    Layout(("batch", BINS, "frames"), samples),
    Layout(("batch", "frames", WIDTH), samples),
)

RULES: tuple[InputRule, ...] = (
    InputRule("input_values", VALUES),
    InputRule("input_features", FRAMES),
    InputRule("audio_mel", FRAMES),
    InputRule(
        "decoder_input_values", tuple(Layout(("batch", "decoder_frames", bins), samples) for bins in (BINS, WIDTH))
    ),
    InputRule("noise_sequence", (Layout(("batch", "frames", Setting(("model_in_channels",))), samples),), spare=always),
    InputRule("is_longer", (Layout(("batch", 1), lambda _: Switch(dtype=torch.bool)),), spare=always),
)
"""Arguments that hold sound."""
