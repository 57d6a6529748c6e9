"""facts -> inputs of text: ids, masks, positions, and what a decoder takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch

from pytest_tsexport.subjects.domains.base import Domain
from pytest_tsexport.subjects.domains.boxes import Boxes
from pytest_tsexport.subjects.domains.floats import Floats
from pytest_tsexport.subjects.domains.integers import Ids, Integers
from pytest_tsexport.subjects.domains.lengths import Lengths
from pytest_tsexport.subjects.domains.masks import Mask
from pytest_tsexport.subjects.transformers.facts import Facts, Side
from pytest_tsexport.subjects.transformers.layouts import (
    Dim,
    InputRule,
    Layout,
    always,
    floating,
    when_named,
)
from pytest_tsexport.subjects.transformers.positions import position_count


def has_ids(facts: Facts) -> bool:
    """Whether the model takes ids; some models that read pictures have a mask too, over their own axes."""
    return "input_ids" in facts.arguments


def _has_kinds_of_tokens(facts: Facts) -> bool:
    kinds = facts.setting("type_vocab_size")
    return isinstance(kinds, int) and kinds > 1


def _has_free_decoder(facts: Facts) -> bool:
    # These heads derive the decoder's ids from the encoder's, and read the answer at the encoder's positions.
    return not facts.is_head("ForSequenceClassification", "ForQuestionAnswering")


def _has_free_decoder_and_ids(facts: Facts) -> bool:
    return _has_free_decoder(facts) and "decoder_input_ids" in facts.arguments


def _has_question(facts: Facts) -> bool:
    # Without the tokens of the question, these heads require three separators in every row.
    return facts.is_head("ForQuestionAnswering", "ForMultipleChoice")


def mask(_: Facts) -> Domain:
    """Which tokens are real."""
    return Mask(dtype=torch.int64)


def _ids(facts: Facts) -> Ids:
    domain = ids_of(facts, "input", "src_vocab_size", "vocab_size")
    last = _first(facts.setting("eos_token_id")) if facts.says("same number of <eos> tokens") else None
    if last is None or not 0 <= last < domain.high:
        return domain
    return replace(domain, last=last)


def _decoder_ids(facts: Facts) -> Domain:
    return ids_of(facts, "decoder", "tgt_vocab_size", "decoder_vocab_size", "vocab_size")


def _token_types(facts: Facts) -> Domain:
    kinds = facts.setting("type_vocab_size") or _ids(facts).high
    return Integers(dtype=torch.int64, high=kinds)


def _positions(facts: Facts) -> Domain:
    return Integers(dtype=torch.int64, high=position_count(facts))


def _boxes(facts: Facts) -> Domain | None:
    count = facts.setting("max_2d_position_embeddings")
    if isinstance(count, int):
        return Boxes(dtype=torch.int64, high=count)
    # Without a table of coordinates they are parts of the sides of the page, if the argument is not a wrapper's alone.
    return Floats(dtype=floating(facts), scale=0.3) if facts.towers_take("bbox") else None


def _lengths(facts: Facts) -> Domain | None:
    # An argument of this name that only a wrapper has may mean anything.
    return Lengths(dtype=torch.int64, axis="sequence") if facts.towers_take("lengths") else None


TEXT = ("batch", "choices", "sequence")
DECODER_TEXT = ("batch", "choices", "decoder_sequence")


def _text(
    name: str, dims: tuple[Dim, ...], domain: Callable[[Facts], Domain | None], taken: Callable[[Facts], bool]
) -> InputRule:
    """Text has one layout, or two where a token has an id in each of several codebooks."""
    return InputRule(name, (Layout(dims, domain),), taken)


def _codebooks(facts: Facts) -> int | None:
    """How many ids one step has: one of text and one of each codebook of sound."""
    count = facts.setting("num_codebooks")
    return count + 1 if isinstance(count, int) else None


def _channels(facts: Facts) -> int | None:
    count = facts.setting("num_channels", side="decoder")
    return count if isinstance(count, int) and "pixel_values" not in facts.arguments else None


RULES: tuple[InputRule, ...] = (
    # argument, dimensions, domain, whether it is an input by default
    InputRule("input_ids", (Layout(TEXT, _ids), Layout((*TEXT, _codebooks), _ids))),
    _text("bbox", (*TEXT, 4), _boxes, always),
    _text("token_type_ids", TEXT, _token_types, _has_kinds_of_tokens),
    _text("position_ids", TEXT, _positions, when_named),
    _text("lengths", ("batch",), _lengths, when_named),
    _text("global_attention_mask", TEXT, mask, _has_question),
    InputRule(
        "decoder_input_ids",
        (Layout(DECODER_TEXT, _decoder_ids), Layout((*DECODER_TEXT, _channels), _decoder_ids)),
        _has_free_decoder,
    ),
    _text("decoder_attention_mask", DECODER_TEXT, mask, _has_free_decoder_and_ids),
)
"""Arguments of text, in the order in which they are looked up."""


def ids_of(facts: Facts, side: Side, *names: str) -> Ids:
    """The ids of a vocabulary, whose size is in one of these config attributes."""
    counts = [value for value in facts.settings(*names, side=side) if isinstance(value, int)]
    high = min(counts, default=None) or _embedding_rows(facts)
    ends = (facts.setting(name, side=side) for name in ("pad_token_id", "eos_token_id"))
    pads = [pad for pad in (facts.prepared.pad, *map(_first, ends)) if pad is not None and 0 <= pad < high]
    special = facts.special_ids(side)
    return Ids(
        dtype=torch.int64,
        high=high,
        pad=pads[0] if pads else 0,
        special=tuple(one for one in special if one < high),
    )


def _embedding_rows(facts: Facts) -> int:
    # A config without a vocabulary (characters that are hashed): the first embedding of the model bounds the ids.
    embeddings = (m for t in facts.towers for m in t.modules() if isinstance(m, torch.nn.Embedding))
    return next((m.num_embeddings for m in embeddings), 2)


def _first(ids: object) -> int | None:
    """A token id, or the first of a list of them (Llama 3 has three ends of text)."""
    one = next(iter(ids), None) if isinstance(ids, (list, tuple)) else ids
    return one if isinstance(one, int) and not isinstance(one, bool) else None
