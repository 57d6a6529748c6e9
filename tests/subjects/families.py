"""name -> model: tiny Transformers models with random weights, in training mode as built, no downloads.

`build("bert")` is a family under its usual head, `build("bert", "ForTokenClassification")` under another.
A family whose classes this version of Transformers lacks is not in `families()`.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Mapping
from typing import Any

import torch
import transformers
from torch import nn

from tests.subjects.families_decoders import DECODERS
from tests.subjects.families_encoder_decoders import ENCODER_DECODERS
from tests.subjects.families_encoders import ENCODERS
from tests.subjects.family import Family

SEED = 20230517

HEADS = (
    "Model",
    "ForMaskedLM",
    "ForCausalLM",
    "LMHeadModel",
    "WithLMHeadModel",
    "MTModel",
    "ForPreTraining",
    "ForConditionalGeneration",
    "EncoderModel",
    "ForSequenceClassification",
    "ForTokenClassification",
    "ForQuestionAnswering",
    "ForQuestionAnsweringSimple",
    "ForMultipleChoice",
    "ForNextSentencePrediction",
    "DoubleHeadsModel",
)
"""Endings of the classes that a family may have; those that exist are its heads."""

TABLE: Mapping[str, Family] = {**ENCODERS, **DECODERS, **ENCODER_DECODERS}


def families() -> dict[str, tuple[str, ...]]:
    """Every family that this version of Transformers has, with its heads, the usual one first."""
    return {name: heads for name, family in TABLE.items() if (heads := _heads(family))}


def build(name: str, head: str | None = None, **settings: Any) -> Any:
    """A new `nn.Module` of the family, in training mode, its weights the same at every call.

    `settings` go into its config. `Any`, because the attributes of a model are typed as tensors or modules, and its
    config is neither.
    """
    family = TABLE[name]
    config = getattr(transformers, f"{family.stem}Config")(**copy.deepcopy({**family.settings, **settings}))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        model = getattr(transformers, family.class_name(head or family.head))(config)
    assert isinstance(model, nn.Module)
    return model.train()


def _heads(family: Family) -> tuple[str, ...]:
    names = (family.head, *(head for head in HEADS if head != family.head))
    return tuple(head for head in names if head not in family.lacks and _exists(family.class_name(head)))


def _exists(name: str) -> bool:
    with warnings.catch_warnings():
        # Transformers 4's ModernBERT compiles as it is imported, and so brings in torch's own uses of torch.jit.
        warnings.filterwarnings("ignore", r"`torch\.jit\.\w+` is (deprecated|not supported)")
        # It also gives a placeholder for a class whose own requirements are missing: it has no forward.
        return getattr(getattr(transformers, name, None), "forward", None) is not None
