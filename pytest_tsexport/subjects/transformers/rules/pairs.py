"""facts -> what ties text to pictures: which tokens look at which pictures, and how pictures are cut into tiles."""

from __future__ import annotations

from fractions import Fraction

import torch

from pytest_tsexport.subjects.domains.base import Domain
from pytest_tsexport.subjects.domains.integers import Ids, Integers
from pytest_tsexport.subjects.domains.masks import AllReal, Mask
from pytest_tsexport.subjects.domains.placeholders import KindsAround, Places, Run
from pytest_tsexport.subjects.fields import Rule
from pytest_tsexport.subjects.transformers.facts import Facts
from pytest_tsexport.subjects.transformers.layouts import InputRule, Layout, Setting, always
from pytest_tsexport.subjects.transformers.rules.text import mask

QUESTION = ("batch", "qformer_sequence")
"""Text that the part which looks at the picture reads."""

TILES = Setting(("max_num_tiles",), "vision")
"""Into how many tiles a picture is cut."""

_NO_TOKEN = -1
"""These places are marked by their mask, and by no id."""


def _question(facts: Facts) -> Domain | None:
    count = getattr(facts.setting("qformer_config"), "vocab_size", None)
    return Ids(dtype=torch.int64, high=count) if isinstance(count, int) else None


def _features(facts: Facts) -> int | None:
    count = facts.setting("latent_query_num")
    return count if isinstance(count, int) else None


def _where_features_go(facts: Facts) -> Domain | None:
    count = _features(facts)
    run = None if count is None else Run(_NO_TOKEN, 1, Rule(terms=(), offset=count))
    return None if run is None else KindsAround(dtype=torch.int64, high=2, places=Places((run,)))


def _text_and_features(facts: Facts) -> Rule | None:
    count = _features(facts)
    return None if count is None else Rule(terms=((Fraction(1), ("text",)),), offset=count)


def _arrangements(facts: Facts) -> Domain | None:
    count = facts.setting("max_aspect_ratio_id", side="vision")
    return Integers(dtype=torch.int64, low=1, high=count + 1) if isinstance(count, int) else None


def _all_tiles(_: Facts) -> Domain:
    return AllReal(dtype=torch.int64)


def _looks(_: Facts) -> Domain:
    return Mask(dtype=torch.int64)


RULES: tuple[InputRule, ...] = (
    InputRule("qformer_input_ids", (Layout(QUESTION, _question),)),
    InputRule("qformer_attention_mask", (Layout(QUESTION, mask),)),
    InputRule(
        "image_embeds_position_mask",
        (Layout(("batch", "sequence"), _where_features_go, rules={"sequence": _text_and_features}),),
    ),
    InputRule("image_attention_mask", (Layout(("batch", "sequence", "images"), _looks),), spare=always),
    InputRule("aspect_ratio_ids", (Layout(("batch", "images"), _arrangements),)),
    InputRule("aspect_ratio_mask", (Layout(("batch", "images", TILES), _all_tiles),)),
    InputRule("cross_attention_mask", (Layout(("batch", "sequence", "images", TILES), _looks),), spare=always),
)
"""Arguments that tie text to pictures."""
