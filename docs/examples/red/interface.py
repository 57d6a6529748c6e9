"""Wrong on purpose: the baseline is from Transformers 4.57, and DistilBERT has another third argument since 5.

Run it with `pytest -o ts_baseline=docs/examples/red/ts-baseline.json docs/examples/red/interface.py`.
"""

import pytest
from transformers import DistilBertConfig, DistilBertForSequenceClassification


@pytest.mark.torchscript(checks=["interface"])
def test_interface() -> DistilBertForSequenceClassification:
    return DistilBertForSequenceClassification(
        DistilBertConfig(
            vocab_size=99, dim=32, n_layers=2, n_heads=4, hidden_dim=64, id2label={0: "NEGATIVE", 1: "POSITIVE"}
        )
    )
