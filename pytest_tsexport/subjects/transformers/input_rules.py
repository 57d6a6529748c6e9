"""facts -> fields: the table of arguments, one rule each: its dimensions and the values that it may hold.

A new kind of input (vision, audio) is a new rule here, and a new class in `subjects/domains` if its values are of a new
kind. The rules know names of arguments and of config attributes, never names of models.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import torch

from pytest_tsexport.subjects.domains.base import Domain
from pytest_tsexport.subjects.domains.boxes import Boxes
from pytest_tsexport.subjects.domains.floats import Floats
from pytest_tsexport.subjects.domains.integers import Ids, Integers
from pytest_tsexport.subjects.domains.lengths import Lengths
from pytest_tsexport.subjects.domains.masks import Mask
from pytest_tsexport.subjects.fields import Field
from pytest_tsexport.subjects.transformers.facts import Facts, Side
from pytest_tsexport.subjects.transformers.positions import position_count

SIZES: Mapping[str, int] = {
    # Never 1, which hides what is baked in; all different, so that no axis can be taken for another.
    "batch": 2,
    "choices": 3,
    "sequence": 7,
    "decoder_sequence": 5,
    "encoder_sequence": 6,
}
"""Every axis, with the size that a model is traced at by default."""

NEEDED = (
    "pixel_values",
    "pixel_values_videos",
    "flattened_patches",
    "image",
    "visual_feats",
    "input_values",
    "input_features",
    "past_values",
)
"""Arguments that no rule derives yet, although a model that has one is always called with it.

Signatures call nearly every argument optional.
"""


@dataclass(frozen=True, slots=True)
class Setting:
    """A dimension whose size is in the config: the first of these attributes that is set."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InputRule:
    """One argument: its dimensions, its domain, and whether it is an input by default.

    A dimension is an axis of `SIZES`, which varies, a number, or a `Setting`; the axis `choices` is only there in
    multiple-choice heads. A domain that depends on an axis names it, as `Lengths` does; one that ties the numbers of
    one row together keeps them in order, as `Boxes` does. `domain` gives None if the model does not say what it needs.
    An argument that is not an input by default is one if the caller names it, or if `forward` requires it.
    """

    name: str
    dims: tuple[str | int | Setting, ...]
    domain: Callable[[Facts], Domain | None]
    taken: Callable[[Facts], bool]

    def field(self, facts: Facts) -> Field | None:
        """The input of this model; None if its config lacks what the rule reads."""
        dims = tuple(_size(dim, facts) for dim in self.dims if dim != "choices" or facts.is_head("ForMultipleChoice"))
        domain = self.domain(facts)
        known = tuple(dim for dim in dims if dim is not None)
        return None if domain is None or known != dims else Field(self.name, known, domain)


def _size(dim: str | int | Setting, facts: Facts) -> str | int | None:
    if not isinstance(dim, Setting):
        return dim
    size = facts.setting(*dim.names)
    return size if isinstance(size, int) else None


def _always(_: Facts) -> bool:
    return True


def _when_named(_: Facts) -> bool:
    return False


def _has_ids(facts: Facts) -> bool:
    # Some models that read pictures have a mask too, over their own axes.
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


def _mask(_: Facts) -> Domain:
    return Mask(dtype=torch.int64)


def _ids(facts: Facts) -> Ids:
    domain = _ids_of(facts, "input", "src_vocab_size", "vocab_size")
    last = _first(facts.setting("eos_token_id")) if facts.says("same number of <eos> tokens") else None
    if last is None or not 0 <= last < domain.high:
        return domain
    return replace(domain, last=last)


def _decoder_ids(facts: Facts) -> Domain:
    return _ids_of(facts, "decoder", "tgt_vocab_size", "decoder_vocab_size", "vocab_size")


def _token_types(facts: Facts) -> Domain:
    kinds = facts.setting("type_vocab_size") or _ids(facts).high
    return Integers(dtype=torch.int64, high=kinds)


def _positions(facts: Facts) -> Domain:
    return Integers(dtype=torch.int64, high=position_count(facts))


def _boxes(facts: Facts) -> Domain | None:
    # Without this setting the coordinates are floats (Bros).
    count = facts.setting("max_2d_position_embeddings")
    return Boxes(dtype=torch.int64, high=count) if isinstance(count, int) else None


def _lengths(facts: Facts) -> Domain | None:
    # An argument of this name that only a wrapper has may mean anything.
    return Lengths(dtype=torch.int64, axis="sequence") if facts.towers_take("lengths") else None


def _states(facts: Facts) -> Domain:
    dtypes = (p.dtype for tower in facts.towers for p in tower.parameters() if p.is_floating_point())
    return Floats(dtype=next(dtypes, torch.get_default_dtype()))


TEXT = ("batch", "choices", "sequence")
DECODER_TEXT = ("batch", "choices", "decoder_sequence")
STATES = ("batch", "choices", "encoder_sequence")
WIDTH = Setting(("hidden_size", "d_model"))
"""How wide the states are that one module passes to the next."""

RULES: tuple[InputRule, ...] = (
    # argument, dimensions, domain, whether it is an input by default
    InputRule("input_ids", TEXT, _ids, _always),
    InputRule("bbox", (*TEXT, 4), _boxes, _always),
    InputRule("attention_mask", TEXT, _mask, _has_ids),
    InputRule("token_type_ids", TEXT, _token_types, _has_kinds_of_tokens),
    InputRule("position_ids", TEXT, _positions, _when_named),
    InputRule("lengths", ("batch",), _lengths, _when_named),
    InputRule("global_attention_mask", TEXT, _mask, _has_question),
    InputRule("decoder_input_ids", DECODER_TEXT, _decoder_ids, _has_free_decoder),
    InputRule("decoder_attention_mask", DECODER_TEXT, _mask, _has_free_decoder_and_ids),
    InputRule("encoder_hidden_states", (*STATES, WIDTH), _states, _when_named),
    InputRule("encoder_attention_mask", STATES, _mask, _when_named),
)
"""Every argument that can be derived."""


def _ids_of(facts: Facts, side: Side, *names: str) -> Ids:
    counts = [value for value in facts.settings(*names, side=side) if isinstance(value, int)]
    high = min(counts, default=None) or _embedding_rows(facts)
    ends = (facts.setting(name, side=side) for name in ("pad_token_id", "eos_token_id"))
    pads = [pad for pad in map(_first, ends) if pad is not None and 0 <= pad < high]
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
