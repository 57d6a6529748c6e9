"""Proves that labels are read in the order of their ids, and that default names are not labels."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from torch import nn
from transformers import BertConfig, BertForSequenceClassification, BertModel

from pytest_tsexport.subjects.transformers.labels import labels_of

TINY = {"vocab_size": 20, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1, "intermediate_size": 8}


class Configured(nn.Module):
    config: object

    def __init__(self, **config: object) -> None:
        super().__init__()
        self.config = SimpleNamespace(**config)


def test_a_classifier_has_labels() -> None:
    model = BertForSequenceClassification(BertConfig(**TINY, id2label={0: "NEGATIVE", 1: "POSITIVE", 2: "NEUTRAL"}))
    assert labels_of(model) == ("NEGATIVE", "POSITIVE", "NEUTRAL")
    assert labels_of(nn.Sequential(model)) == ("NEGATIVE", "POSITIVE", "NEUTRAL")


def test_default_names_are_not_labels() -> None:
    assert labels_of(BertModel(BertConfig(**TINY))) == ()
    assert labels_of(nn.Linear(1, 1)) == ()


@pytest.mark.parametrize(
    ("id2label", "labels"),
    [
        ({"1": "YES", "0": "NO"}, ("NO", "YES")),
        ({2: "DOG", 0: "CAT"}, ("CAT", "", "DOG")),
        ({0: "LABEL_1", 1: "LABEL_0"}, ("LABEL_1", "LABEL_0")),
        ({}, ()),
        (None, ()),
    ],
)
def test_labels_are_in_the_order_of_their_ids(id2label: object, labels: tuple[str, ...]) -> None:
    assert labels_of(Configured(id2label=id2label)) == labels


def test_the_outermost_labels_count() -> None:
    outer = Configured(id2label={0: "OUTER"})
    outer.inner = Configured(id2label={0: "INNER"})
    assert labels_of(outer) == ("OUTER",)
    outer.config = "of another library"
    assert labels_of(outer) == ("INNER",)
