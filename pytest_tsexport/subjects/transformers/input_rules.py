"""facts -> rows: the table of arguments, one row each: which axis it runs along and what it may hold.

A new kind of input (vision, audio) is a new row here. The rows know names of arguments and of config
attributes, never names of models.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch

from pytest_tsexport.subjects.fields import Domain
from pytest_tsexport.subjects.transformers.facts import Facts, Side
from pytest_tsexport.subjects.transformers.positions import position_count

MASK = Domain(kind="mask", dtype=torch.int64)

NEEDED = (
    "pixel_values",
    "pixel_values_videos",
    "flattened_patches",
    "image",
    "visual_feats",
    "input_values",
    "input_features",
    "past_values",
    "bbox",
)
"""Arguments that no row derives yet, and without which a model that has one is not used as it ships.

Signatures call nearly every argument optional. `bbox` is here because its four numbers must be in order,
which no domain of independent numbers can say.
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One argument: `(batch, [choices,] axis)`, with a last dimension of `WIDTH` where `wide`.

    `taken` tells whether the argument is an input unasked; one that the caller names, or that `forward`
    cannot do without, is an input anyway.
    """

    name: str
    axis: str
    domain: Callable[[Facts], Domain]
    taken: Callable[[Facts], bool]
    wide: bool = False


def _always(_: Facts) -> bool:
    return True


def _has_ids(facts: Facts) -> bool:
    # Some that read pictures have a mask too, of their own axes.
    return "input_ids" in facts.arguments


def _asked(_: Facts) -> bool:
    return False


def _has_kinds_of_tokens(facts: Facts) -> bool:
    kinds = facts.setting("type_vocab_size")
    return isinstance(kinds, int) and kinds > 1


def _has_free_decoder(facts: Facts) -> bool:
    # These heads make the decoder's ids of the encoder's, and read the answer at the encoder's positions.
    return not facts.is_head("ForSequenceClassification", "ForQuestionAnswering")


def _has_free_decoder_and_ids(facts: Facts) -> bool:
    return _has_free_decoder(facts) and "decoder_input_ids" in facts.arguments


def _has_question(facts: Facts) -> bool:
    # Where these heads are not told which tokens are the question's, they want three separators in every row.
    return facts.is_head("ForQuestionAnswering", "ForMultipleChoice")


def _mask(_: Facts) -> Domain:
    return MASK


def _ids(facts: Facts) -> Domain:
    domain = _ids_of(facts, "input", "src_vocab_size", "vocab_size")
    last = _first(facts.setting("eos_token_id")) if facts.says("same number of <eos> tokens") else None
    if last is None or not 0 <= last < domain.high:
        return domain
    return replace(domain, last=last)


def _decoder_ids(facts: Facts) -> Domain:
    return _ids_of(facts, "decoder", "tgt_vocab_size", "decoder_vocab_size", "vocab_size")


def _token_types(facts: Facts) -> Domain:
    kinds = facts.setting("type_vocab_size") or _ids(facts).high
    return Domain(kind="integers", dtype=torch.int64, high=kinds)


def _positions(facts: Facts) -> Domain:
    return Domain(kind="integers", dtype=torch.int64, high=position_count(facts))


def _states(facts: Facts) -> Domain:
    dtypes = (p.dtype for tower in facts.towers for p in tower.parameters() if p.is_floating_point())
    return Domain(kind="floats", dtype=next(dtypes, torch.get_default_dtype()))


WIDTH = ("hidden_size", "d_model")
"""Config attributes that say how wide the states are that one module hands to the next."""

ROWS: tuple[Row, ...] = (
    # argument, axis, domain, taken unasked
    Row("input_ids", "sequence", _ids, _always),
    Row("attention_mask", "sequence", _mask, _has_ids),
    Row("token_type_ids", "sequence", _token_types, _has_kinds_of_tokens),
    Row("position_ids", "sequence", _positions, _asked),
    Row("global_attention_mask", "sequence", _mask, _has_question),
    Row("decoder_input_ids", "decoder_sequence", _decoder_ids, _has_free_decoder),
    Row("decoder_attention_mask", "decoder_sequence", _mask, _has_free_decoder_and_ids),
    Row("encoder_hidden_states", "encoder_sequence", _states, _asked, wide=True),
    Row("encoder_attention_mask", "encoder_sequence", _mask, _asked),
)
"""Every argument that can be derived, by name."""


def _ids_of(facts: Facts, side: Side, *names: str) -> Domain:
    counts = [value for value in facts.settings(*names, side=side) if isinstance(value, int)]
    high = min(counts, default=None) or _embedding_rows(facts)
    ends = (facts.setting(name, side=side) for name in ("pad_token_id", "eos_token_id"))
    pads = [pad for pad in map(_first, ends) if pad is not None and 0 <= pad < high]
    special = facts.special_ids(side)
    return Domain(
        kind="ids",
        dtype=torch.int64,
        high=high,
        pad=pads[0] if pads else 0,
        special=tuple(one for one in special if one < high),
    )


def _embedding_rows(facts: Facts) -> int:
    # A config without a vocabulary (characters that are hashed): the first embedding of the model bounds it.
    embeddings = (m for t in facts.towers for m in t.modules() if isinstance(m, torch.nn.Embedding))
    return next((m.num_embeddings for m in embeddings), 2)


def _first(ids: object) -> int | None:
    """A token id, or the first of a list of them (Llama 3 has three ends of text)."""
    one = next(iter(ids), None) if isinstance(ids, (list, tuple)) else ids
    return one if isinstance(one, int) and not isinstance(one, bool) else None
