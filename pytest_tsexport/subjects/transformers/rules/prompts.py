"""facts -> prompts: points and boxes on a picture, and the text that says what to look for in it."""

from __future__ import annotations

from fractions import Fraction

import torch

from pytest_tsexport.subjects.domains.base import Domain
from pytest_tsexport.subjects.domains.floats import Floats
from pytest_tsexport.subjects.domains.integers import Integers
from pytest_tsexport.subjects.fields import Rule
from pytest_tsexport.subjects.transformers.facts import Facts
from pytest_tsexport.subjects.transformers.layouts import InputRule, Layout, always, floating, when_named
from pytest_tsexport.subjects.transformers.rules.text import ids_of, mask
from pytest_tsexport.subjects.transformers.rules.vision import side

CLASSES = 3
"""How many names of classes go with each picture."""


def _places(facts: Facts) -> Domain:
    """Places on the picture, in pixels."""
    return Floats(dtype=floating(facts), scale=(side(0)(facts) or 64) / 4)


def _sides(_: Facts) -> Domain:
    """Whether a point is inside of what is looked for."""
    return Integers(dtype=torch.int64, high=2)


def _task(facts: Facts) -> Domain:
    return ids_of(facts, "input", "text_encoder_vocab_size", "vocab_size")


def _task_length(facts: Facts) -> int | None:
    length = facts.setting("task_seq_len", "max_seq_len")
    return length if isinstance(length, int) else None


def _words(facts: Facts) -> Domain:
    return ids_of(facts, "input", "vocab_size")


def _classes(_: Facts) -> Rule:
    return Rule(terms=((Fraction(CLASSES), ("batch",)),))


def _classes_each(_: Facts) -> Domain:
    return Integers(dtype=torch.int64, low=CLASSES, high=CLASSES + 1)


CLASS_NAMES = ("classes", "sequence")
OF_ALL = {"classes": _classes}

RULES: tuple[InputRule, ...] = (
    InputRule("input_points", (Layout(("batch", "boxes", "points", 2), _places),), spare=always),
    InputRule("input_labels", (Layout(("batch", "boxes", "points"), _sides),), spare=always),
    InputRule("input_boxes", (Layout(("batch", "boxes", 4), _places),), when_named),
    InputRule("classes_input_ids", (Layout(CLASS_NAMES, _words, rules=OF_ALL),)),
    InputRule("classes_attention_mask", (Layout(CLASS_NAMES, mask, rules=OF_ALL),)),
    InputRule("classes_structure", (Layout(("batch",), _classes_each),)),
    InputRule("tasks_input_ids", (Layout(("batch", "sequence"), _words),)),
    InputRule("tasks_attention_mask", (Layout(("batch", "sequence"), mask),)),
    InputRule("task_inputs", (Layout(("batch", _task_length), _task),)),
)
"""Arguments that say what to look for."""
