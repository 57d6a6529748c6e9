"""Proves that what explains a failure never takes its place, whatever it raises."""

from __future__ import annotations

import logging
import traceback
from pathlib import Path

import pytest
import torch
from torch import nn

from pytest_tsexport.testing import judge, wrong_sizes
from pytest_tsexport.testing import wrong_routing as routing
from pytest_tsexport.testing.specimen import rows
from pytest_tsexport.verdict import Outcome

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


class Encodes(nn.Module):
    """torch's own encoder packs rows that are padded on the right into nested tensors, and only those."""

    def __init__(self) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2)

    def forward(self, x: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.encoder(x, src_key_padding_mask=attention_mask == 0)
        return answer


@pytest.mark.slow
def test_a_graph_with_nested_tensors_is_explained_and_breaks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_tsexport.checks.parity.suspect", lambda *_: ())  # it names the fast path itself
    torch.manual_seed(0)
    inputs = {"x": torch.randn(2, 7, 8), "attention_mask": torch.ones(2, 7, dtype=torch.int64)}
    names = {0: "batch", 1: "sequence"}
    found = judge(Encodes(), inputs, checks=["parity", "shapes"], dynamic_shapes=dict.fromkeys(inputs, names))
    assert {name: one.outcome for name, one in found.items()} == {"parity": Outcome.FAILED, "shapes": Outcome.FAILED}
    cause = dict(found["parity"].rows)["likely cause"]
    assert cause.startswith(f"{Path(__file__).name}:")
    assert cause.endswith(", in encoder")


def breaks(*_: object) -> tuple[tuple[str, str], ...]:
    raise KeyError("a fault of ours")


@pytest.mark.slow
@pytest.mark.parametrize("gone", ["parity.suspect", "parity.cause"])
def test_an_explanation_that_raises_leaves_the_failure_of_parity_as_it_was(
    gone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    model = routing.RoutesByValue()
    whole = judge(model, rows()(), checks="parity")["parity"]
    monkeypatch.setattr(f"pytest_tsexport.checks.{gone}", breaks)
    found = judge(model, rows()(), checks="parity")["parity"]
    assert (found.outcome, found.headline) == (Outcome.FAILED, whole.headline)
    # The other explanation is asked all the same.
    kept = [row for row in whole.rows if row[0] != "likely cause" or gone == "parity.suspect"]
    assert list(found.rows) == kept


@pytest.mark.slow
def test_an_explanation_that_raises_is_in_the_debug_log_with_its_traceback(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("pytest_tsexport.checks.shapes.cause", breaks)
    with caplog.at_level(logging.DEBUG, logger="pytest_tsexport"):
        found = judge(wrong_sizes.BakesBranch(), rows()(), checks="shapes", max_examples=20)["shapes"]
    assert found.headline == "silently wrong outside the traced size"
    assert "likely cause" not in dict(found.rows)
    (record,) = [record for record in caplog.records if record.name == "pytest_tsexport"]
    assert (record.levelno, record.getMessage()) == (
        logging.DEBUG,
        "breaks could not explain (batch=1, dim1=11), which shapes found",
    )
    assert record.exc_info is not None
    assert "a fault of ours" in "".join(traceback.format_exception(*record.exc_info))
