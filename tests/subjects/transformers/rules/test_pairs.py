"""Pins what is derived for models that read text beside pictures, and proves that eager runs at other sizes."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import torch
import transformers

from pytest_tsexport.config.marker import Meaning
from pytest_tsexport.subjects.build import build
from pytest_tsexport.subjects.fields import fitted
from pytest_tsexport.subjects.reference import Reference
from pytest_tsexport.subjects.subject import Subject
from pytest_tsexport.suite import list_model_types, tiny_model

SHAPES: Mapping[str, Mapping[str, tuple[int, ...]]] = {
    "instructblip": {"pixel_values": (2, 3, 28, 42), "qformer_input_ids": (2, 8), "qformer_attention_mask": (2, 8)},
    "idefics": {"pixel_values": (2, 3, 3, 56, 56), "image_attention_mask": (2, 7, 3)},
    "kosmos-2": {"image_embeds_position_mask": (2, 69), "input_ids": (2, 69)},
    "gemma4_vision": {"pixel_values": (2, 54, 768), "pixel_position_ids": (2, 54, 2)},
    "granite_docling": {"pixel_values": (2, 3, 3, 64, 64), "pixel_attention_mask": (2, 3)},
    "mllama": {
        "pixel_values": (2, 3, 4, 3, 56, 56),
        "aspect_ratio_ids": (2, 3),
        "aspect_ratio_mask": (2, 3, 4),
        "cross_attention_mask": (2, 7, 3, 4),
    },
    "deepseek_vl_hybrid": {"pixel_values": (2, 3, 64, 64), "high_res_pixel_values": (2, 3, 64, 64)},
    "llava_onevision": {"pixel_values": (2, 2, 3, 56, 56), "image_sizes": (2, 2)},
}

OTHER_SIZES: Mapping[str, Mapping[str, int]] = {
    "instructblip": {"qformer_sequence": 5, "height": 56},
    "idefics": {"images": 2, "sequence": 5},
    "kosmos-2": {"text": 9},
    "gemma4_vision": {"grid_height": 3, "grid_width": 12},
    "granite_docling": {"images": 2},
    "mllama": {"images": 2, "sequence": 5},
    "deepseek_vl_hybrid": {"text": 3},
    "llava_onevision": {"text": 3},
}

WIDE = ("granite_docling", "llava_onevision")


def answers(subject: Subject, **sizes: int) -> bool:
    whole = fitted(subject.axes, {**subject.sizes, **sizes})
    inputs = {one.name: one.draw(whole, 5) for one in subject.fields}
    return Reference(subject.reference, subject.constants).case(inputs)[0].raised is None


@pytest.mark.parametrize(
    "model_type", [pytest.param(one, marks=pytest.mark.wide) if one in WIDE else one for one in SHAPES]
)
def test_shapes_and_other_sizes(model_type: str) -> None:
    if model_type not in list_model_types():
        pytest.skip("this transformers does not have it")
    if transformers.__version__.startswith("4.") and model_type == "mllama":
        pytest.skip("the default config of Transformers 4 does not build")
    subject = build(tiny_model(model_type), Meaning(), name=model_type)
    shapes = {name: tuple(tensor.shape) for name, tensor in subject.inputs.items()}
    assert {name: shapes.get(name) for name in SHAPES[model_type]} == SHAPES[model_type]
    assert answers(subject, batch=3, **OTHER_SIZES[model_type])


def test_a_cache_of_a_model_inside_is_left_out() -> None:
    subject = build(tiny_model("blip-2"), Meaning(), name="blip-2")
    assert subject.constants == {"use_cache": False}
    assert not any("past_key_values" in name for name in subject.outputs)


def test_marked_places_are_as_many_as_the_config_says() -> None:
    subject = build(tiny_model("kosmos-2"), Meaning(), name="kosmos-2")
    assert torch.equal(subject.inputs["image_embeds_position_mask"].sum(-1), torch.tensor([64, 64]))
