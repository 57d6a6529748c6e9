"""name -> family: right models of many kinds, of which mutated files are made.

Each is exact at every size that eager takes, so whatever a mutated file does otherwise is the mutation's doing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import torch
import transformers
from torch import nn

from tests.benchmarks.corpus.family import Family
from tests.benchmarks.corpus.modules import modules
from tests.benchmarks.corpus.plain_inputs import Input, Plan
from tests.subjects.families import build

HALF = ("bert", "roberta", "distilbert", "opt", "llama", "t5")
"""Families that are mutated in bfloat16 too. Not GPT-2: its right file differs from eager by rounding there."""

LONGEST = 48
"""The table of positions that the tiny families of the tests have."""

_IDS = Input("input_ids", ("batch", "sequence"), "ids", 99)
_MASK = Input("attention_mask", ("batch", "sequence"), "mask")
_DECODER_IDS = Input("decoder_input_ids", ("batch", "decoder_sequence"), "ids", 99)
_TEXT = Plan(inputs=(_IDS, _MASK), traced={"batch": 2, "sequence": 7}, most={"sequence": LONGEST})
_PAIR = Plan(
    inputs=(_IDS, _MASK, _DECODER_IDS),
    traced={"batch": 2, "sequence": 7, "decoder_sequence": 5},
    most={"sequence": LONGEST},
)

_ENCODERS = ("bert", "roberta", "distilbert", "albert", "electra", "mobilebert", "modernbert", "deberta_v2", "mpnet")
_CAUSAL = ("xlnet", "gpt2", "gpt_neox", "llama", "mistral", "qwen2", "opt", "falcon")
_PAIRS = ("t5", "bart", "marian")


def families() -> dict[str, Family]:
    """Every family by its name."""
    text = [*_texts(), *_pictures_and_sounds()]
    half = [
        replace(one, name=f"{one.name}-bf16", plan=replace(one.plan, dtype=torch.bfloat16))
        for one in text
        if one.name in HALF
    ]
    return {one.name: one for one in (*text, *half, *modules())}


def _texts() -> list[Family]:
    plans: Mapping[str, Plan] = {**dict.fromkeys((*_ENCODERS, *_CAUSAL), _TEXT), **dict.fromkeys(_PAIRS, _PAIR)}
    return [Family(name, partial(build, name), plan) for name, plan in plans.items()]


def _pictures_and_sounds() -> list[Family]:
    layers: dict[str, Any] = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
    vit = {**layers, "intermediate_size": 64, "image_size": 16, "patch_size": 4}
    convnext = {"hidden_sizes": [8, 12, 16, 20], "depths": [1, 1, 1, 1]}
    sound = {
        **layers,
        "intermediate_size": 64,
        "conv_dim": (16, 16),
        "conv_kernel": (8, 4),
        "conv_stride": (4, 2),
        "num_feat_extract_layers": 2,
        "num_conv_pos_embeddings": 16,
        "num_conv_pos_embedding_groups": 4,
        "apply_spec_augment": False,
    }
    square = Plan(inputs=(Input("pixel_values", ("batch", 3, 16, 16)),), traced={"batch": 2})
    sides = ("batch", 3, "height", "width")
    anywhere = Plan(
        inputs=(Input("pixel_values", sides),),
        traced={"batch": 2, "height": 40, "width": 36},
        most={"height": 96, "width": 96},
    )
    heard = Plan(inputs=(Input("input_values", ("batch", "samples")),), traced={"batch": 2, "samples": 160})
    return [
        Family("vit", partial(_made, "ViT", vit), square),
        Family("convnext", partial(_made, "ConvNext", convnext), anywhere),
        Family("wav2vec2", partial(_made, "Wav2Vec2", sound), heard),
    ]


def _made(stem: str, settings: Mapping[str, Any]) -> nn.Module:
    config = getattr(transformers, f"{stem}Config")(**settings)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(20230517)
        model = getattr(transformers, f"{stem}Model")(config)
    assert isinstance(model, nn.Module)
    return model
