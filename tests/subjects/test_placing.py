"""Proves that text gets as many placeholders as a model has features, and that their number follows from sizes."""

from __future__ import annotations

import pytest
import torch
import transformers

from pytest_tsexport.config.marker import Meaning
from pytest_tsexport.subjects.build import build
from pytest_tsexport.subjects.fields import fitted
from pytest_tsexport.subjects.reference import Reference
from pytest_tsexport.subjects.subject import Subject
from pytest_tsexport.subjects.transformers.facts import Facts, facts_of
from pytest_tsexport.subjects.transformers.features import MEDIA, counted, token_of
from pytest_tsexport.suite import list_model_types, tiny_model

OLD = transformers.__version__.startswith("4.")
renamed = pytest.mark.skipif(OLD, reason="Transformers 4 calls the pictures of Fuyu image_patches")
uncounted = pytest.mark.skipif(OLD, reason="Transformers 4 does not say how many features it has")


def built(model_type: str) -> Subject:
    if model_type not in list_model_types():
        pytest.skip("this transformers does not have it")
    return build(tiny_model(model_type), Meaning(), name=model_type)


def answers(subject: Subject, **sizes: int) -> bool:
    whole = fitted(subject.axes, {**subject.sizes, **sizes})
    inputs = {one.name: one.draw(whole, 5) for one in subject.fields}
    return Reference(subject.reference, subject.constants).case(inputs)[0].raised is None


@pytest.mark.parametrize(
    ("model_type", "rule"),
    [
        ("llava", "text + 16"),
        pytest.param("idefics3", "text + 8", marks=uncounted),
        ("qwen2_vl", "text + 1/4 * grid_height * grid_width"),
        ("kosmos-2", "text + 64"),
        ("llava_next", "text + 52"),
        pytest.param("fuyu", "text + patches", marks=renamed),
        ("chameleon", "text + 1/256 * height * width"),
        pytest.param("inkling_mm_model", "text + images", marks=pytest.mark.wide),
        pytest.param("granite_docling", "text + images", marks=pytest.mark.wide),
        pytest.param("lfm2_vl", "text + 1/4 * grid_height * grid_width", marks=pytest.mark.wide),
        pytest.param("mistral3", "text + 1/784 * height * width", marks=pytest.mark.wide),
        pytest.param("kimi_k25", "text + 1/4 * grid_height * grid_width", marks=pytest.mark.wide),
        pytest.param("gemma3", "text + 4", marks=pytest.mark.wide),
    ],
)
def test_the_length_of_the_text_follows_from_the_pictures(model_type: str, rule: str) -> None:
    subject = built(model_type)
    assert "pixel_values" in subject.inputs
    assert str(subject.axis("sequence").rule) == rule
    assert answers(subject)
    assert answers(subject, text=9)


def test_text_may_be_as_long_as_a_recording() -> None:
    subject = built("voxtral_realtime")
    assert str(subject.axis("sequence").rule) == "1/8 * frames"
    assert subject.axis("frames").step == 8
    assert answers(subject, frames=40, batch=3)


def test_features_that_are_put_nowhere_are_counted_with_some_placeholders() -> None:
    subject = built("qwen2_audio")
    assert str(subject.axis("sequence").rule) == "text + 32"
    assert answers(subject, text=9)


def test_one_feature_a_row_is_placed() -> None:
    subject = built("vibevoice")
    assert str(subject.axis("sequence").rule) == "text + 1"
    assert answers(subject, text=9)


def test_a_message_about_the_length_of_features_counts_none() -> None:
    assert counted("expects the audio features to be padded: pad the audio features to 128", MEDIA) is None
    assert counted("Audio features and audio tokens do not match, tokens: 0, features: 32", MEDIA) == (MEDIA[2], 32)


def test_grids_of_other_sizes_are_drawn_and_taken() -> None:
    subject = built("qwen2_vl")
    assert str(subject.axis("patches").rule) == "batch * grid_height * grid_width"
    assert subject.axis("grid_height").step == 2
    assert answers(subject, grid_height=6, grid_width=8, batch=3)
    assert OLD or "mm_token_type_ids" in subject.inputs


def test_a_vision_tower_takes_patches_and_grids() -> None:
    subject = built("qwen2_5_vl_vision")
    assert subject.inputs["grid_thw"].prod(-1).sum() == len(subject.inputs["hidden_states"])
    assert answers(subject, images=2, grid_width=4)


def test_text_never_holds_a_placeholder_elsewhere() -> None:
    subject = built("llava")
    ids = next(one for one in subject.fields if one.name == "input_ids")
    facts = facts_of(subject.model)
    assert isinstance(facts, Facts)
    token = token_of(facts, MEDIA[0])
    assert token is not None
    for seed in range(20):
        found = torch.eq(ids.draw(subject.sizes, seed), token).sum(-1)
        assert found.tolist() == [16, 16]


@pytest.mark.wide
def test_sound_that_is_left_out_beside_placeholders_is_told() -> None:
    subject = built("qwen3_omni_moe_thinker")
    assert "pixel_values" in subject.inputs
    assert subject.given_up["input_features"].startswith("input_features not given: eager refuses input_ids")
