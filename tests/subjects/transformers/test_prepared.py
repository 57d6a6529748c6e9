"""Proves that a tokenizer and an image processor beside the config are believed before the config."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import transformers
from torch import nn

from pytest_tsexport.config.marker import Meaning
from pytest_tsexport.subjects.build import build
from pytest_tsexport.subjects.domains.integers import Ids
from pytest_tsexport.subjects.transformers.prepared import Prepared, prepared
from tests.subjects import families, pictures

TOKENIZER = {
    "model_input_names": ["input_ids", "attention_mask", "special_tokens_mask"],
    "model_max_length": 20,
    "pad_token": {"content": "<fill>"},
    "added_tokens_decoder": {"3": {"content": "<s>"}, "5": {"content": "<fill>"}},
}

PROCESSOR = {"do_center_crop": True, "crop_size": {"height": 24, "width": 20}, "size": {"shortest_edge": 32}}


def in_folder(model: nn.Module, folder: Path, **files: Any) -> nn.Module:
    for name, settings in files.items():
        (folder / f"{name}.json").write_text(json.dumps(settings), encoding="utf-8")
    model.config._name_or_path = str(folder)  # type: ignore[union-attr]
    return model


def test_a_tokenizer_says_names_the_longest_text_and_the_padding_id(tmp_path: Path) -> None:
    plain = build(families.build("bert"), Meaning(), name="it")
    assert (list(plain.inputs)[2], plain.axis("sequence").high) == ("token_type_ids", 48)
    subject = build(in_folder(families.build("bert"), tmp_path, tokenizer_config=TOKENIZER), Meaning(), name="it")
    assert list(subject.inputs) == ["input_ids", "attention_mask"]
    assert subject.axis("sequence").high == 20
    ids = subject.fields[0].domain
    assert isinstance(ids, Ids)
    assert ids.pad == 5
    why = "the checkpoint's tokenizer or processor gives it, and the export does not take it"
    assert subject.given_up == {"special_tokens_mask": f"special_tokens_mask: {why}"}


def test_an_image_processor_says_how_large_a_picture_is(tmp_path: Path) -> None:
    model = in_folder(pictures.dinov2(), tmp_path, preprocessor_config=PROCESSOR)
    assert tuple(build(model, Meaning(), name="it").inputs["pixel_values"].shape) == (2, 3, 24, 20)


@pytest.mark.parametrize(
    ("settings", "sides"),
    [
        ({"size": 18}, (18, 18)),
        ({"size": {"height": 8, "width": 9}}, (8, 9)),
        ({"size": {"shortest_edge": 8}}, None),
        ({"size": 18, "do_resize": False}, None),
        ({"image_processor": {"size": 18}}, (18, 18)),
        ([], None),
    ],
    ids=["a square", "two sides", "one edge", "not resized", "a part of a processor", "no settings"],
)
def test_sizes_of_pictures(tmp_path: Path, settings: Any, sides: tuple[int, int] | None) -> None:
    (tmp_path / "processor_config.json").write_text(json.dumps(settings), encoding="utf-8")
    config = transformers.ViTConfig()
    config._name_or_path = str(tmp_path)
    assert prepared(config).sides == sides


def test_no_folder_says_nothing(tmp_path: Path) -> None:
    config = transformers.ViTConfig()
    assert prepared(config) == Prepared()
    config._name_or_path = str(tmp_path / "missing")
    assert prepared(config) == Prepared()
    (tmp_path / "tokenizer_config.json").write_text('{"model_max_length": 1000000000000000019884624838656}')
    config._name_or_path = str(tmp_path)
    assert prepared(config) == Prepared()
