"""The fixture `ts_export`: hand-written tests and a finished file that is compared with its model."""

from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertModel

from pytest_tsexport import Export
from pytest_tsexport.plugin.fixtures import TsExport

INPUTS = {
    "input_ids": torch.tensor([[2, 41, 17, 3], [2, 8, 3, 0]]),
    "attention_mask": torch.tensor([[1, 1, 1, 1], [1, 1, 1, 0]]),
}


@pytest.fixture(scope="module")
def bert() -> BertModel:
    config = BertConfig(vocab_size=99, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64)
    return BertModel(config).eval()


@pytest.fixture(scope="module")
def export(ts_export: TsExport, bert: BertModel) -> Export:
    """Exported once, for all tests in this file."""
    return ts_export(bert, INPUTS)


def test_every_check(export: Export) -> None:
    export.validate()


def test_pooled_output_lies_between_minus_one_and_one(export: Export) -> None:
    _, pooled = export.module(**INPUTS)
    assert pooled.abs().max() <= 1


def test_a_file_that_another_program_exported(ts_export: TsExport, bert: BertModel, tmp_path: Path) -> None:
    path = tmp_path / "bert.ts"
    torch.jit.save(torch.jit.trace(bert, example_kwarg_inputs=INPUTS, strict=False), str(path))
    ts_export(bert, INPUTS, artifact=path).validate()
