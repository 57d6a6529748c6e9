"""Proves by torch alone what each specimen of partly read clones reads its tensors for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from pytest_tsexport.testing import files
from pytest_tsexport.testing.specimen import Specimen
from pytest_tsexport.testing.tied_choices import right_choices
from pytest_tsexport.testing.tied_parts import right_parts, wrong_parts

Place = Any
UNREAD: Mapping[str, tuple[str, Place]] = {
    "OneColumnOfTheEmbedding": ("head.weight", (slice(None), 0)),
    "RenamedAndMixed": ("out.weight", slice(0, 25)),
    "OneMemberMixed": ("second.head.weight", slice(0, 25)),
    "DeadBesideBannedWords": ("head.weight", slice(None)),
    "OneOfHalfLayersUnread": ("layers.12.weight", slice(None)),
}
"""A tensor of a file, and the part of it that no answer depends on."""


def exported(specimen: Specimen, path: Path) -> torch.jit.ScriptModule:
    model = specimen.model().eval()
    with files.quiet():
        specimen.keywords["export"](model, specimen.inputs(), path)
        loaded: torch.jit.ScriptModule = torch.jit.load(str(path))
    return loaded


def answers(file: torch.nn.Module, specimen: Specimen) -> torch.Tensor:
    """The last output, as logits are."""
    found = file(*specimen.inputs().values())
    last: torch.Tensor = found[-1] if isinstance(found, tuple) else found
    return last.detach()


def moved(specimen: Specimen, path: Path, name: str, place: Place = slice(None)) -> torch.Tensor:
    """How an answer of the file moves if this part of a tensor is one larger."""
    file = exported(specimen, path)
    before = answers(file, specimen)
    tensors = dict([*file.named_parameters(), *file.named_buffers()])
    with torch.no_grad():
        tensors[name][place] += torch.linspace(0.5, 1, tensors[name][place].numel()).view(tensors[name][place].shape)
    return answers(file, specimen) - before


def named(title: str) -> Specimen:
    return next(one for one in (*wrong_parts(), *right_parts(), *right_choices()) if one.title == title)


@pytest.mark.parametrize("specimen", [*wrong_parts(), *right_choices()], ids=lambda one: one.title)
def test_every_file_answers_as_its_model(specimen: Specimen, tmp_path: Path) -> None:
    expected = answers(specimen.model().eval(), specimen)
    torch.testing.assert_close(answers(exported(specimen, tmp_path / "file.pt"), specimen), expected)


@pytest.mark.parametrize("title", UNREAD)
def test_a_part_of_a_clone_is_not_read(title: str, tmp_path: Path) -> None:
    name, place = UNREAD[title]
    assert not moved(named(title), tmp_path / "file.pt", name, place).any()


def test_a_part_of_the_other_clone_is_read_instead(tmp_path: Path) -> None:
    """The clone of the head moves the answer by 31 of 32 parts of what a whole one would."""
    specimen = named("ThirtySecondOfTheEmbedding")
    file = exported(specimen, tmp_path / "file.pt")
    states = dict(file.named_parameters())["embed.weight"][specimen.inputs()["ids"]].tanh().sum(-1)
    before = answers(file, specimen)
    with torch.no_grad():
        dict(file.named_parameters())["head.weight"].add_(1.0)
    torch.testing.assert_close(answers(file, specimen) - before, (31 / 32 * states)[..., None].expand(2, 7, 50))


def test_one_table_is_read_for_two(tmp_path: Path) -> None:
    names = dict(exported(named("OneTableBesideBannedWords"), tmp_path / "file.pt").named_parameters())
    assert list(names) == ["offset", "tokens.weight"]


def test_one_norm_is_read_for_two(tmp_path: Path) -> None:
    assert "c.weight" not in dict(exported(named("NormForAnother"), tmp_path / "file.pt").named_parameters())


@pytest.mark.parametrize(
    ("title", "names"),
    [
        ("BannedWordsByOwnClone", ("head.weight",)),
        ("RenamedAndNotMixed", ("encoder.weight", "output.weight")),
        ("NormsRenamedApart", ("a.weight", "b.weight", "c.weight")),
        ("NormedOnce", ("first.weight", "second.weight")),
        ("HalfHeadSummed", ("tokens.weight", "out.weight")),
    ],
)
def test_every_clone_of_a_right_file_is_read(title: str, names: tuple[str, ...], tmp_path: Path) -> None:
    for name in names:
        assert moved(named(title), tmp_path / "file.pt", name).any()


@pytest.mark.parametrize(("title", "name"), [("ChoiceByOwnClone", "head.weight"), ("ChoiceRenamed", "output.weight")])
def test_the_clone_of_a_head_moves_the_choice_alone(title: str, name: str, tmp_path: Path) -> None:
    specimen = named(title)
    file = exported(specimen, tmp_path / "file.pt")
    states, choice = file(*specimen.inputs().values())
    with torch.no_grad():
        dict(file.named_parameters())[name].neg_()
    others = file(*specimen.inputs().values())
    assert torch.equal(others[0], states)
    assert not torch.equal(others[1], choice)


def test_another_kernel_has_the_answer_of_a_half_head_bit_for_bit(tmp_path: Path) -> None:
    specimen = named("HalfHeadSummed")
    found = answers(exported(specimen, tmp_path / "file.pt"), specimen)
    assert torch.equal(found, answers(specimen.model().eval(), specimen))
