"""name -> family: right models of many kinds, of which mutated files are made.

Each is exact at every size that eager takes, so whatever a mutated file does otherwise is the mutation's doing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
import transformers
from torch import nn

from pytest_tsexport.testing import right
from tests.benchmarks.corpus.plain_inputs import Input, Plan
from tests.subjects.families import build

HALF = ("bert", "roberta", "distilbert", "gpt2", "llama", "t5")
"""Families that are mutated in bfloat16 too."""

SMALL = 0.1
"""The standard deviation below which a matrix of a tiny model does next to nothing."""

LONGEST = 48
"""The table of positions that the tiny families of the tests have."""

_IDS = Input("input_ids", ("batch", "sequence"), "ids", 99)
_MASK = Input("attention_mask", ("batch", "sequence"), "mask")
_DECODER_IDS = Input("decoder_input_ids", ("batch", "decoder_sequence"), "ids", 99)
_TEXT = Plan(inputs=(_IDS, _MASK), traced={"batch": 2, "sequence": 7}, most={"sequence": LONGEST})
_PAIR = Plan(inputs=(_IDS, _MASK, _DECODER_IDS), traced={"batch": 2, "sequence": 7, "decoder_sequence": 5})

_ENCODERS = ("bert", "roberta", "distilbert", "albert", "electra", "mobilebert", "modernbert", "deberta_v2", "mpnet")
_CAUSAL = ("xlnet", "gpt2", "gpt_neox", "llama", "mistral", "qwen2", "opt", "falcon")
_PAIRS = ("t5", "bart", "marian")


@dataclass(frozen=True, slots=True)
class Family:
    """One right model, in evaluation mode, and the plan of its inputs."""

    name: str
    build: Callable[[], nn.Module]
    plan: Plan

    def model(self) -> nn.Module:
        """A new model, its weights the same at every call."""
        return as_if_trained(self.build()).to(self.plan.dtype).eval()


def as_if_trained(model: nn.Module) -> nn.Module:
    """The model with weights as training leaves them: no bias is 0, and small matrices are not next to nothing.

    In a model as it is built a bias can be left out, and a mask hardly matters: every such mutation is equivalent.
    """
    generator = torch.Generator().manual_seed(6151)
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() < 2:
                weight.add_(torch.randn(weight.shape, generator=generator) * 0.1)
            elif 0 < weight.std() < SMALL:
                weight.mul_(SMALL / weight.std())
    return model


def families() -> dict[str, Family]:
    """Every family by its name."""
    text = [*_texts(), *_pictures_and_sounds()]
    half = [
        replace(one, name=f"{one.name}-bf16", plan=replace(one.plan, dtype=torch.bfloat16))
        for one in text
        if one.name in HALF
    ]
    return {one.name: one for one in (*text, *half, *_modules())}


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
    anywhere = Plan(inputs=(Input("pixel_values", sides),), traced={"batch": 2, "height": 40, "width": 36})
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


def _modules() -> list[Family]:
    """Plain modules of the kit."""
    kit = {one.title: one for one in right()}
    return [
        Family(title, kit[title].model, Plan(inputs=inputs, traced=_sizes_of(inputs)))
        for title, inputs in _MODULES.items()
    ]


def _sizes_of(inputs: tuple[Input, ...]) -> dict[str, int]:
    named = {dim for one in inputs for dim in one.dims if isinstance(dim, str)}
    return {axis: size for axis, size in (("batch", 2), ("length", 7)) if axis in named}


_ROWS = (Input("x", ("batch", "length")),)
_STATES = (Input("x", ("batch", "length", 4)),)
_FEATURES = (Input("x", ("batch", 7)),)
_WORDS = Input("ids", ("batch", "length"), "ids", 50)
_MODULES: Mapping[str, tuple[Input, ...]] = {
    "Recurrent": _STATES,
    "Convolves": _STATES,
    "Attends": _STATES,
    "MasksByComparison": _ROWS,
    "BandedMask": _ROWS,
    "PositionsFromShape": _ROWS,
    "ReshapesByShape": _ROWS,
    "NestedOutputs": _ROWS,
    "WeighsExperts": _FEATURES,
    "GathersExperts": _FEATURES,
    "MaskedMean": (_WORDS, Input("mask", ("batch", "length"), "mask")),
    "Pooled": (_WORDS,),
}
