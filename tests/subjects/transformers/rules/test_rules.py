"""Pins what is derived for models that read pictures, clips, sound and series, and proves that eager runs elsewhere."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest
import torch
from torch import nn

from pytest_tsexport.cases.case import at, tensors
from pytest_tsexport.config.marker import Meaning
from pytest_tsexport.subjects.build import build
from pytest_tsexport.subjects.domains.tail_masks import TailMask
from pytest_tsexport.subjects.fields import Axis
from pytest_tsexport.subjects.reference import Reference
from pytest_tsexport.subjects.subject import Subject
from pytest_tsexport.subjects.transformers import axis_names
from pytest_tsexport.subjects.transformers.rules import BY_NAME, RULES
from pytest_tsexport.suite import list_model_types, tiny_model
from tests.subjects import pictures

# Transformers 4 warns of changes in version 5.
pytestmark = pytest.mark.filterwarnings(r"ignore:.* will be removed in v(ersion )?5:FutureWarning")

SHAPES = {
    "vit": {"pixel_values": (2, 3, 16, 16)},
    "dinov2": {"pixel_values": (2, 3, 8, 12)},
    "resnet": {"pixel_values": (2, 3, 64, 96)},
    "detr": {"pixel_values": (2, 3, 64, 96), "pixel_mask": (2, 64, 96)},
    "clip": {"input_ids": (2, 7), "pixel_values": (2, 3, 16, 16), "attention_mask": (2, 7)},
    "videomae": {"pixel_values": (2, 4, 3, 16, 16)},
    "sam": {"pixel_values": (2, 3, 32, 32), "input_points": (2, 3, 4, 2), "input_labels": (2, 3, 4)},
    "whisper": {
        "input_features": (2, 8, 40),
        "attention_mask": (2, 40),
        "decoder_input_ids": (2, 5),
        "decoder_attention_mask": (2, 5),
    },
    "wav2vec2": {"input_values": (2, 4000), "attention_mask": (2, 4000)},
    "patchtst": {"past_values": (2, 16, 3), "past_observed_mask": (2, 16, 3)},
    "autoformer": {"past_values": (2, 11), "past_time_features": (2, 11, 0), "past_observed_mask": (2, 11)},
}

VARIES = {
    "vit": ["batch"],
    "dinov2": ["batch", "height", "width"],
    "resnet": ["batch", "height", "width"],
    "detr": ["batch", "height", "width"],
    "clip": ["batch", "sequence"],
    "videomae": ["batch", "video_frames"],
    "sam": ["batch", "points", "boxes"],
    "whisper": ["batch", "decoder_sequence"],
    "wav2vec2": ["batch", "samples"],
    "patchtst": ["batch"],
    "autoformer": ["batch"],
}

FIXED = {
    "vit": ["height", "width"],
    "clip": ["height", "width"],
    "videomae": ["height", "width"],
    "sam": ["height", "width"],
    "whisper": ["input_features", "frames"],
    "patchtst": ["steps"],
    "autoformer": ["steps"],
}


@cache
def built(name: str) -> Subject:
    return build(pictures.MODELS[name](), Meaning(), name=name)


@pytest.mark.parametrize("name", pictures.MODELS)
def test_shapes_axes_and_what_is_fixed(name: str) -> None:
    subject = built(name)
    assert {key: tuple(tensor.shape) for key, tensor in subject.inputs.items()} == SHAPES[name]
    assert [axis.name for axis in subject.axes] == VARIES[name]
    assert list(subject.given_up) == FIXED.get(name, [])
    assert all("eager refuses" in line for line in subject.given_up.values())


@pytest.mark.parametrize("name", pictures.MODELS)
def test_eager_runs_at_other_sizes(name: str) -> None:
    subject = built(name)
    eager = Reference(subject.model, subject.constants)
    for mask in ("ones", "right"):
        case = at(subject, {axis.name: _other(axis) for axis in subject.free}, seed=4, mask=mask)
        (answer,) = eager.case(tensors(case, subject))
        assert answer.raised is None
        assert answer.leaves
        assert all(bool(leaf.isfinite().all()) for leaf in answer.leaves.values() if leaf.is_floating_point())


def _other(axis: Axis) -> int:
    larger = axis.size + axis.step
    return larger if axis.high is None or larger <= axis.high else axis.fitting(axis.low)


def test_sides_differ_where_eager_takes_any_and_no_traced_size_is_one() -> None:
    for name in pictures.MODELS:
        subject = built(name)
        assert min(subject.sizes.values()) > 1
        if "height" in subject.sizes:
            assert subject.sizes["height"] != subject.sizes["width"]


def test_masks_of_sound_and_pixels_are_padded_at_the_end() -> None:
    domains = {field.name: field.domain for name in ("wav2vec2", "detr") for field in built(name).fields}
    assert domains["attention_mask"] == TailMask(dtype=torch.int64)
    assert domains["pixel_mask"] == TailMask(dtype=torch.int64, places=2)


def test_each_argument_has_one_rule_and_each_rule_a_layout() -> None:
    assert len(BY_NAME) == len(RULES)
    assert all(rule.layouts for rule in RULES)


def test_the_page_has_a_row_for_each_rule() -> None:
    page = Path(__file__).parents[4] / "docs" / "reference" / "inputs.md"
    rows = {
        name for line in page.read_text(encoding="utf-8").splitlines() for name in re.findall(r"`(\w+)`", line[:90])
    }
    assert set(BY_NAME) <= rows


def test_dimensions_that_the_user_gave_have_the_names_of_the_rules() -> None:
    model = pictures.vit()
    subject = build(model, Meaning(inputs={"pixel_values": torch.randn(2, 3, 16, 16)}), name="it")
    assert "batch" in [axis.name for axis in subject.axes]
    assert {"height", "width"} <= set(subject.given_up)
    named = axis_names(model, {"pixel_values": torch.randn(2, 3, 24, 16), "head_mask": torch.ones(2)})
    assert named == {("pixel_values", 0): "batch", ("pixel_values", 2): "height", ("pixel_values", 3): "width"}
    assert axis_names(model, {"pixel_values": torch.randn(2, 5, 24, 16)}) == {}
    assert axis_names(nn.Linear(2, 2), {"input": torch.randn(2, 2)}) == {}


# Wrappers


class Pooled(nn.Module):
    """Returns one vector for each picture."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, pixel_values: torch.Tensor) -> torch.Tensor:
        state: torch.Tensor = self.model(pixel_values=pixel_values)[0]
        return state.flatten(2).mean(-1) if state.dim() == 4 else state.mean(1)


class Reordered(nn.Module):
    """Takes the picture after the text."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(
        self, attention_mask: torch.Tensor, input_ids: torch.Tensor, pixel_values: torch.Tensor
    ) -> torch.Tensor:
        answer = self.model(input_ids=input_ids, pixel_values=pixel_values, attention_mask=attention_mask)
        similar: torch.Tensor = answer.logits_per_image
        return similar


class Named(nn.Module):
    """Returns a dict."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_values: torch.Tensor, attention_mask: torch.Tensor) -> dict[str, torch.Tensor]:
        state = self.model(input_values=input_values, attention_mask=attention_mask).last_hidden_state
        return {"first": state[:, 0], "mean": state.mean(1)}


@pytest.mark.parametrize(
    ("wrapper", "inside", "axes"),
    [
        (Pooled, "dinov2", VARIES["dinov2"]),
        (Pooled, "vit", VARIES["vit"]),
        (Reordered, "clip", VARIES["clip"]),
        (Named, "wav2vec2", VARIES["wav2vec2"]),
    ],
)
def test_a_wrapper_has_the_inputs_of_its_model(wrapper: type[nn.Module], inside: str, axes: list[str]) -> None:
    subject = build(wrapper(pictures.MODELS[inside]()), Meaning(), name="it")
    shapes = {name: tuple(tensor.shape) for name, tensor in subject.inputs.items()}
    assert shapes == SHAPES[inside]
    assert [axis.name for axis in subject.axes] == axes


def test_a_main_input_may_be_several() -> None:
    model = pictures.vit()
    model.main_input_name = ["pixel_values", "task_inputs"]  # type: ignore[assignment]
    assert list(build(model, Meaning(), name="it").inputs) == ["pixel_values"]


@pytest.mark.parametrize(
    ("model_type", "shapes"),
    [
        ("bros", {"input_ids": (2, 7), "bbox": (2, 7, 4), "attention_mask": (2, 7), "token_type_ids": (2, 7)}),
        ("vibevoice_acoustic_tokenizer_decoder", {"hidden_states": (2, 8, 10)}),
        ("vibevoice_acoustic_tokenizer_encoder", {"hidden_states": (2, 1, 4000)}),
        ("vit_mae", {"pixel_values": (2, 3, 64, 64), "noise": (2, 16)}),
        ("inkling2_vision", {"pixel_values": (72, 40, 40, 3), "image_grid_thw": (3, 3)}),
        ("minicpm_ocr_vision", {"pixel_values": (1, 3, 16, 1152), "target_sizes": (3, 2)}),
        ("qwen3_asr_encoder", {"input_features": (2, 128, 100), "input_features_mask": (2, 100)}),
        pytest.param(
            "omdet-turbo",
            {
                "pixel_values": (2, 3, 64, 96),
                "classes_input_ids": (6, 7),
                "classes_attention_mask": (6, 7),
                "tasks_input_ids": (2, 7),
                "tasks_attention_mask": (2, 7),
                "classes_structure": (2,),
            },
            marks=pytest.mark.wide,
        ),
        pytest.param(
            "pi0",
            {
                "action_embeds": (2, 10, 64),
                "input_ids": (2, 7),
                "pixel_values": (2, 3, 3, 56, 56),
                "attention_mask": (2, 7),
                "pixel_attention_mask": (2, 3),
            },
            marks=pytest.mark.wide,
        ),
        pytest.param("audio-spectrogram-transformer", {"input_values": (2, 128, 128)}, marks=pytest.mark.wide),
    ],
)
def test_the_layout_of_an_argument_that_several_kinds_of_models_have(
    model_type: str, shapes: dict[str, tuple[int, ...]]
) -> None:
    if model_type not in list_model_types():
        pytest.skip("this transformers does not have it")
    subject = build(tiny_model(model_type), Meaning(), name=model_type)
    assert {key: tuple(tensor.shape) for key, tensor in subject.inputs.items()} == shapes
