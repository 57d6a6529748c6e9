"""Proves that the first layout that eager runs is taken, and that what it refuses is told in one sentence."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import transformers
from torch import nn

from pytest_tsexport.config.marker import Meaning
from pytest_tsexport.errors import InputsError
from pytest_tsexport.subjects.build import build
from pytest_tsexport.subjects.choosing import chosen, shapes_of
from pytest_tsexport.subjects.fields import Description
from pytest_tsexport.subjects.subject import Subject
from pytest_tsexport.subjects.transformers import descriptions
from tests.subjects.pictures import SMALL, vit


class Wrapper(nn.Module):
    """A module with a Transformers model inside, whose configs say how large a picture is."""

    def __init__(self, **settings: Any) -> None:
        super().__init__()
        self.model = vit(**settings)


class TakesClips(Wrapper):
    """Looks at five dimensions."""

    def forward(self, pixel_values: torch.Tensor) -> torch.Tensor:
        _, _, _, _, _ = pixel_values.shape
        return pixel_values.mean((1, 2, 3))


class WantsMultiples(Wrapper):
    """Says by which number the length must be divided."""

    def forward(self, input_values: torch.Tensor) -> torch.Tensor:
        if input_values.dim() != 2 or input_values.shape[1] % 1920:
            raise ValueError("must be a multiple of 1920")
        return input_values.reshape(input_values.shape[0], -1, 1920).mean(1)


class AsksForMore(Wrapper):
    """Names an argument that its signature calls optional."""

    def forward(self, query_embeds: torch.Tensor, encoder_hidden_states: torch.Tensor | None = None) -> torch.Tensor:
        if encoder_hidden_states is None:
            raise ValueError("encoder_hidden_states must be given")
        return query_embeds.mean(1) + encoder_hidden_states.mean(1)


class TakesOneRow(Wrapper):
    """Takes text and one picture; more of them it refuses."""

    def forward(self, input_ids: torch.Tensor, pixel_values: torch.Tensor | None = None) -> torch.Tensor:
        if pixel_values is None or len(pixel_values) > 1:
            raise ValueError("one picture, please")
        return input_ids.sum(-1) + pixel_values.mean((1, 2, 3))


class Refuses(Wrapper):
    """Takes nothing."""

    def forward(self, pixel_values: torch.Tensor) -> torch.Tensor:
        raise ValueError(f"not {pixel_values.dim()} dimensions")


def built(model: nn.Module) -> Subject:
    return build(model, Meaning(), name="it")


def picked(model: nn.Module) -> Description:
    return chosen(model, model, descriptions(model))[0]


def test_the_first_layout_that_runs_is_taken() -> None:
    assert shapes_of(picked(TakesClips())) == "pixel_values (2, 2, 3, 8, 12)"


def test_another_layout_than_the_likeliest_is_told() -> None:
    subject = built(TakesClips())
    why = "ValueError: not enough values to unpack (expected 5, got 4)"
    line = f"pixel_values given as (batch, 2, 3, height, width): eager refuses pixel_values (2, 3, 8, 12): {why}"
    assert subject.given_up["pixel_values"] == line


class HearsTwice(Wrapper):
    """Takes two recordings, each of which has several layouts."""

    def forward(self, input_values: torch.Tensor, input_features: torch.Tensor) -> torch.Tensor:
        if input_values.dim() != 3:
            raise ValueError("a channel, please")
        return input_values.mean((1, 2)) + input_features.mean((1, 2))


def test_the_other_layouts_of_each_argument_are_tried_soon() -> None:
    first = [{one.name: len(one.dims) for one in each.fields} for each in descriptions(HearsTwice())[:4]]
    assert {one["input_values"] for one in first} == {2, 3}
    assert shapes_of(picked(HearsTwice())).startswith("input_values (2, 1, 4000), input_features (2, ")


def test_the_likeliest_layout_needs_no_line() -> None:
    assert "pixel_values" not in built(vit()).given_up


def test_a_size_that_a_message_names_is_tried() -> None:
    assert shapes_of(picked(WantsMultiples())) == "input_values (2, 1920)"
    assert built(WantsMultiples()).axis("samples").step == 1920


def test_an_argument_that_a_message_names_is_added() -> None:
    assert list(built(AsksForMore()).inputs) == ["query_embeds", "encoder_hidden_states"]


def test_what_eager_refuses_is_one_sentence_with_each_reason_once() -> None:
    with pytest.raises(InputsError) as caught:
        built(Refuses())
    message = str(caught.value)
    assert message.startswith("inputs cannot be derived for Refuses: eager refuses pixel_values (2, ")
    assert message.count("ValueError: not 4 dimensions") == message.count("ValueError: not 5 dimensions") == 1
    assert message.endswith("; give inputs={'pixel_values': tensor}")
    assert "\n" not in message


class SeesOrHears(Wrapper):
    """Refuses pictures, sound, or both together."""

    def __init__(self, *, sees: bool, hears: bool) -> None:
        super().__init__()
        self.sees, self.hears = sees, hears

    def forward(
        self,
        input_ids: torch.Tensor,
        pixel_values: torch.Tensor | None = None,
        input_values: torch.Tensor | None = None,
    ) -> torch.Tensor:
        if (pixel_values is not None and not self.sees) or (input_values is not None and not self.hears):
            raise ValueError("what is that?")
        return input_ids.sum(1) * 0.5


@pytest.mark.parametrize(
    ("sees", "hears", "inputs"),
    [
        (True, True, ["input_ids", "pixel_values", "input_values"]),
        (True, False, ["input_ids", "pixel_values"]),
        (False, True, ["input_ids", "input_values"]),
        (False, False, ["input_ids"]),
    ],
)
def test_sound_and_pictures_are_left_out_one_by_one(*, sees: bool, hears: bool, inputs: list[str]) -> None:
    assert list(built(SeesOrHears(sees=sees, hears=hears)).inputs) == inputs


def test_pictures_come_before_text_alone() -> None:
    config = transformers.CLIPConfig(
        text_config={**SMALL, "vocab_size": 99, "max_position_embeddings": 16},
        vision_config={**SMALL, "image_size": 16, "patch_size": 4},
    )

    class ReadsEither(nn.Module):
        def __init__(self, *, looks: bool) -> None:
            super().__init__()
            self.model, self.looks = transformers.CLIPModel(config), looks

        def forward(self, input_ids: torch.Tensor, pixel_values: torch.Tensor | None = None) -> torch.Tensor:
            if pixel_values is not None and not self.looks:
                raise ValueError("no eyes")
            return input_ids.sum(1) * 0.5

    assert list(built(ReadsEither(looks=True)).inputs) == ["input_ids", "pixel_values"]
    blind = built(ReadsEither(looks=False))
    assert list(blind.inputs) == ["input_ids"]
    assert blind.given_up["pixel_values"].startswith("pixel_values not given: eager refuses input_ids (2, 7), ")


class ReadsFrames(Wrapper):
    """Takes a mask of frames only while nothing is padded: behind it, it is a mask of something else."""

    def forward(self, input_features: torch.Tensor, attention_mask: torch.Tensor | None = None) -> torch.Tensor:
        if attention_mask is not None and not bool(attention_mask.all()):
            raise ValueError("the mask is of patches")
        return input_features.mean(1)


def test_a_mask_is_asked_about_with_padding() -> None:
    model = ReadsFrames(num_mel_bins=8)
    description, _ = chosen(model, model, descriptions(model))
    assert [one.name for one in description.fields] == ["input_features"]
    assert description.given_up["attention_mask"].endswith("ValueError: the mask is of patches")


def test_a_batch_of_one_is_tried_before_text_alone() -> None:
    subject = build(TakesOneRow(), Meaning(), name="it")
    assert {name: len(tensor) for name, tensor in subject.inputs.items()} == {"input_ids": 1, "pixel_values": 1}
    assert subject.given_up["batch"].startswith("batch (1): eager refuses 2: ValueError: one picture, please")
