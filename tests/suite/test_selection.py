"""Names and patterns select model types and heads; one that matches nothing is named, with what is near."""

from __future__ import annotations

import pytest
import transformers

from pytest_tsexport.config.options import RunOptions
from pytest_tsexport.config.validators import Given
from pytest_tsexport.errors import PolicyError
from pytest_tsexport.suite.model_types import list_heads, list_model_types
from pytest_tsexport.suite.selection import Architecture, architectures, heads, selected

INSTALLED = f"Transformers {transformers.__version__}"


def names(**options: tuple[str, ...]) -> list[str]:
    return [one.name for one in selected(RunOptions(**options))]  # type: ignore[arg-type]  # each is one of two fields


def test_a_plain_run_takes_the_bare_model_of_every_type() -> None:
    assert names() == list(list_model_types())


def test_names_and_patterns_select_types_in_their_own_order() -> None:
    assert names(architectures=("gpt2", "bert")) == ["bert", "gpt2"]
    found = names(architectures=("deberta*",))
    assert {"deberta", "deberta-v2"} <= set(found)
    assert all(name.startswith("deberta") for name in found)


def test_heads_follow_the_bare_model_of_their_type() -> None:
    assert names(architectures=("bert",), heads=("all",)) == [
        "bert",
        *(f"bert-For{head}" for head in list_heads("bert")),
    ]
    found = names(architectures=("bert", "vit"), heads=("ForMaskedLM", "*ImageClass*"))
    assert found == ["bert", "bert-ForMaskedLM", "vit", "vit-ForImageClassification"]


def test_an_architecture_is_named_as_its_test_is() -> None:
    assert Architecture("bert").name == "bert"
    assert Architecture("bert", "MaskedLM").name == "bert-ForMaskedLM"


@pytest.mark.parametrize(
    ("validator", "value", "sentence"),
    [
        (
            architectures,
            "brt",
            f"x names 'brt', and no model type of {INSTALLED} matches; use ",
        ),
        (architectures, "q?q?q*", "; give the name of a model type or a pattern"),
        (heads, "ForMaskLM", "x names 'ForMaskLM', and no head of Transformers "),
        (heads, "forever", "; "),
    ],
)
def test_what_matches_nothing_is_named(validator: object, value: str, sentence: str) -> None:
    assert callable(validator)
    with pytest.raises(PolicyError) as caught:
        validator(Given(where="x", value=("bert" if validator is architectures else "all", value)))
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_near_names_are_offered() -> None:
    with pytest.raises(PolicyError, match=r"use .*'bert'"):
        architectures(Given(where="x", value=("brt",)))
    with pytest.raises(PolicyError, match=r"use .*'ForMaskedLM'"):
        heads(Given(where="x", value=("ForMaskLM",)))
