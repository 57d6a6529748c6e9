"""Proves that files of less precision are judged against float32, and that a wrong one among them is found."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from pytest_tsexport.testing import judge
from pytest_tsexport.testing.specimen import Inputs, Writer
from pytest_tsexport.verdict import Outcome, Verdict
from tests.subjects.families import build

pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning", "ignore::FutureWarning"),
    pytest.mark.skipif(torch.backends.quantized.engine == "none", reason="this torch cannot compute in int8"),
]

LESS: Mapping[str, Any] = {
    "int8": lambda model: torch.ao.quantization.quantize_dynamic(model, {nn.Linear}),
    "bfloat16": nn.Module.bfloat16,
    "frozen": lambda model: model,
}
"""The same model, in less precision or as constants."""

ALLOWED: Mapping[str, Mapping[str, Any]] = {
    "close": {"rtol": 0.0, "atol": 0.05},
    "argmax": {"metric": "argmax", "rtol": 0.0, "atol": 0.02},
    "cosine": {"metric": "cosine", "rtol": 0.01, "atol": 0.0},
}


class Logits(nn.Module):
    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor, token_type_ids: torch.Tensor) -> Any:
        inputs = {"input_ids": input_ids, "attention_mask": attention_mask, "token_type_ids": token_type_ids}
        return self.model(**inputs).logits


def bert(seed: float = 0.0) -> nn.Module:
    """A classifier of three labels; with `seed`, one whose last layer was trained further."""
    model: nn.Module = build("bert", "ForSequenceClassification", num_labels=3)
    with torch.no_grad():
        for parameter in model.classifier.parameters():  # type: ignore[union-attr]
            parameter.mul_(20).add_(seed * torch.linspace(-1, 1, parameter.numel()).reshape(parameter.shape))
    return model.eval()


def written(less: str, model: nn.Module) -> Writer:
    def export(_: nn.Module, inputs: Inputs, path: Path) -> None:
        traced = torch.jit.trace(
            Logits(LESS[less](copy.deepcopy(model))).eval(), tuple(inputs.values()), check_trace=False
        )
        torch.jit.save(torch.jit.freeze(traced) if less == "frozen" else traced, str(path))

    return export


def outcomes(less: str, model: nn.Module, **allowed: Any) -> dict[str, Outcome]:
    verdicts: Mapping[str, Verdict] = judge(
        bert(),
        checks=["trace", "parity", "shapes", "padding"],
        max_examples=30,
        export=written(less, model),
        reference=bert(),
        **allowed,
    )
    return {name: one.outcome for name, one in verdicts.items()}


@pytest.mark.one_in(3)
@pytest.mark.parametrize("metric", ALLOWED)
def test_an_int8_file_is_allowed_what_the_user_says(metric: str) -> None:
    assert set(outcomes("int8", bert(), **ALLOWED[metric]).values()) <= {Outcome.PASSED, Outcome.NOT_APPLICABLE}
    assert outcomes("int8", bert(0.5), **ALLOWED[metric])["parity"] is Outcome.FAILED


@pytest.mark.one_in(2)
@pytest.mark.parametrize("less", ["bfloat16", "frozen"])
def test_a_file_in_bfloat16_and_a_frozen_one_need_no_word(less: str) -> None:
    assert set(outcomes(less, bert()).values()) == {Outcome.PASSED}
    assert outcomes(less, bert(0.5))["parity"] is Outcome.FAILED


def test_an_int8_file_without_a_word_is_not_float32() -> None:
    assert outcomes("int8", bert())["parity"] is Outcome.FAILED
