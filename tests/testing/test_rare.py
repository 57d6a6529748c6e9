"""Proves by torch alone that each specimen of rare cases is wrong, or right, as it says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
import torch
from torch import nn

from pytest_tsexport.testing import exporters
from pytest_tsexport.testing.right_rare import rarely_shown
from pytest_tsexport.testing.right_rounding import Backwards, Sums
from pytest_tsexport.testing.specimen import Inputs, Specimen, ids, rows
from pytest_tsexport.testing.wrong_rare import ragged, ragged_rows, wrong_rarely

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning",
    "ignore::FutureWarning",
    "ignore::UserWarning",
    "ignore::torch.jit.TracerWarning",
)

REAL = torch.complex(torch.randn(2, 7), torch.zeros(2, 7))
LAST = {"x": rows(2, 3, 4, 5)()["x"].to(memory_format=torch.channels_last)}

SHOWN: Mapping[str, Callable[[], Inputs]] = {
    "HalvesUntilSmall": lambda: {"x": rows()()["x"] * 100},
    "AddsNegativeOnce": lambda: {"x": -rows()()["x"].abs()},
    "DropsPhase": lambda: {"z": REAL},
    "CountsAllInInt16": lambda: {"ids": torch.full((2, 7), 39999)},
    "LastChannelFirst": lambda: LAST,
    "BinsOnTheOtherSide": lambda: {"x": torch.zeros(2, 7)},
    "MeansOfRagged": lambda: {**ragged(), "lengths": torch.tensor([0, 7])},
    "StartsWithOne": lambda: {"ids": torch.ones_like(ids()()["ids"])},
    "ScalesPackedRows": ragged_rows,
    "HalvesLargeBatches": rows(30, 30),
    "KeepsLongestRamp": rows(2, 9),
    "ScalesBySum": rows(60, 60),
}
"""Inputs at which each file is wrong."""

WRONG = {one.title: one for one in wrong_rarely()}
RIGHT = {one.title: one for one in rarely_shown()}
TRIALS = 100


def file_of(specimen: Specimen, model: nn.Module, path: Path) -> torch.jit.ScriptModule:
    writer = specimen.keywords.get("export", exporters.plain)
    writer(model, specimen.inputs(), path / "file.pt")
    return torch.jit.load(str(path / "file.pt"))  # type: ignore[no-any-return]


def leaves(answer: torch.Tensor | tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
    return answer if isinstance(answer, tuple) else (answer,)


def same(one: torch.Tensor, other: torch.Tensor) -> bool:
    return one.shape == other.shape and torch.equal(one.nan_to_num(7.5), other.nan_to_num(7.5))


def tried(specimen: Specimen) -> Iterator[Inputs]:
    """Other values of the kind of the example, and larger and smaller batches."""
    generator = torch.Generator().manual_seed(1)
    for trial in range(TRIALS):
        batch = 1 + trial % 40
        yield {name: _drawn(one, batch, generator) for name, one in specimen.inputs().items()}


def _drawn(one: torch.Tensor, batch: int, generator: torch.Generator) -> torch.Tensor:
    shape = (batch, *one.shape[1:])
    if one.is_floating_point():
        return (torch.randn(shape, generator=generator) * 2).round(decimals=batch % 3)
    if one.is_complex():
        return torch.randn(shape, generator=generator, dtype=one.dtype) * (batch % 4)
    return torch.randint(0, int(one.max()) + 1, shape, generator=generator, dtype=one.dtype)


def test_every_wrong_specimen_is_shown() -> None:
    assert list(SHOWN) == list(WRONG)


@pytest.mark.parametrize("title", SHOWN)
def test_a_wrong_file_answers_and_not_as_eager_does(title: str, tmp_path: Path) -> None:
    specimen = WRONG[title]
    file, inputs = file_of(specimen, specimen.model().eval(), tmp_path), SHOWN[title]()
    assert not same(file(*inputs.values()), specimen.model().eval()(**inputs))


ROUNDS = "PacksRows"
"""It is right but for rounding."""


@pytest.mark.parametrize("title", [one for one in RIGHT if not one.endswith("Backwards") and one != ROUNDS])
def test_a_right_file_equals_eager_for_all_values(title: str, tmp_path: Path) -> None:
    specimen = RIGHT[title]
    model = specimen.model().eval()
    file = file_of(specimen, model, tmp_path)
    for inputs in tried(specimen):
        ours, theirs = leaves(model(**inputs)), leaves(file(*inputs.values()))
        assert all(map(same, ours, theirs))


def test_packed_rows_are_the_same_but_for_rounding(tmp_path: Path) -> None:
    model = RIGHT[ROUNDS].model().eval()
    file = file_of(RIGHT[ROUNDS], model, tmp_path)
    differing = 0
    with torch.no_grad():
        for inputs in tried(RIGHT[ROUNDS]):
            ours, theirs = model(**inputs), file(*inputs.values())
            torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-5)
            differing += int((ours != theirs).sum())
        inputs = ragged_rows()
        scaled = file_of(WRONG["ScalesPackedRows"], model, tmp_path)(*inputs.values())
        assert (scaled - model(**inputs)).abs().max() > 5e-5
    assert differing


@pytest.mark.parametrize("title", [one for one in RIGHT if one.endswith("Backwards")])
def test_sums_in_another_order_are_the_same_but_for_rounding(title: str) -> None:
    """What the file answers is one function of these sums, so it is right wherever that is not decided by rounding."""
    model = RIGHT[title].model().eval()
    assert isinstance(model, Sums)
    exact = Sums(torch.float64)
    exact.weight = nn.Parameter(model.weight.detach().double())
    differing = 0
    for inputs in tried(RIGHT[title]):
        sums = model.sums(inputs["x"])
        backwards = Backwards(RIGHT[title].model().eval())
        other = backwards.model.sums(inputs["x"].flip(-1))  # type: ignore[operator]
        torch.testing.assert_close(sums, exact.sums(inputs["x"].double()).float(), rtol=0, atol=1e-5)
        torch.testing.assert_close(sums, other, rtol=0, atol=1e-5)
        differing += int((sums != other).sum())
    assert differing
