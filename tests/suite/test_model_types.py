"""Proves that model types and heads are those of the installed Transformers, and that a wrong one is named."""

from __future__ import annotations

import pytest
import transformers

from pytest_tsexport.errors import InputsError
from pytest_tsexport.suite.model_types import class_name, list_heads, list_model_types


def test_the_model_types_are_those_that_automodel_maps() -> None:
    types = list_model_types()
    assert {"bert", "vit", "whisper", "clip"} <= set(types)
    assert list(types) == sorted(types)


def test_a_head_is_named_as_its_auto_class_is() -> None:
    heads = list_heads("bert")
    assert {"MaskedLM", "SequenceClassification"} <= set(heads)
    assert all(hasattr(transformers, f"AutoModelFor{head}") for head in heads)
    assert class_name("bert", "MaskedLM") == "BertForMaskedLM"
    assert class_name("bert") == "BertModel"


def test_the_first_of_several_classes_is_taken() -> None:
    assert class_name("funnel") == "FunnelModel"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("brt", None), f"'brt' is not a model type of AutoModel in transformers {transformers.__version__}"),
        (("vit", "CausalLM"), "'vit' has no head 'CausalLM'; it has ImageClassification, MaskedImageModeling"),
    ],
)
def test_what_is_not_mapped_is_named(asked: tuple[str, str | None], said: str) -> None:
    with pytest.raises(InputsError) as error:
        class_name(*asked)
    assert str(error.value).startswith(said)
