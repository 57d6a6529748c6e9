"""Export, save, load and call a model by hand, and judge the file that came out of it."""

from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertForMaskedLM

import pytest_tsexport
from pytest_tsexport.plugin.fixtures import TsExport

INPUTS = {
    "input_ids": torch.tensor([[2, 41, 17, 3], [2, 8, 3, 0]]),
    "attention_mask": torch.tensor([[1, 1, 1, 1], [1, 1, 1, 0]]),
}


@pytest.fixture
def model() -> BertForMaskedLM:
    config = BertConfig(vocab_size=99, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64)
    return BertForMaskedLM(config).eval()


def test_by_hand(ts_export: TsExport, model: BertForMaskedLM, tmp_path: Path) -> None:
    path = str(tmp_path / "bert.pt")

    # Export: a copy whose tied weights are cloned, traced with example inputs and saved.
    traced = torch.jit.trace(pytest_tsexport.untie(model), example_kwarg_inputs=INPUTS, strict=False)
    torch.jit.save(traced, path)

    # Load it in any program that has torch, and call it like a function.
    loaded = torch.jit.load(path)
    answer = loaded(**INPUTS)

    torch.testing.assert_close(answer["logits"], model(**INPUTS).logits)
    ts_export(model, INPUTS, artifact=path).validate()
