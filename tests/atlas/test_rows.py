"""A row of the atlas holds what a reader needs to believe a verdict and to see it again; the atlas fits its schema."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from docs.make_atlas.__main__ import ATLAS, made, read, tenth
from docs.make_atlas.rows import folded, rows_of
from docs.make_atlas.sizes import in_words, ranges
from tests.atlas.runs import VERSIONS, WRONG, failed, lost, replaced, right, run, verdict

SCHEMA = json.loads(ATLAS.with_name("atlas-1.json").read_text(encoding="utf-8"))


def test_a_row_tells_of_all_checks_and_how_to_see_it_again() -> None:
    case = {"sizes": {"batch": 2, "sequence": 8}, "seed": 4, "values": "uniform", "mask": "ones"}
    one = failed("shapes", "silently wrong", visits=WRONG, counterexample=case, not_covered=("sequence above 9",))
    row = rows_of([run(*replaced(one, verdict("tied_weights", headline="every tied weight is cloned")))])["bert"]["jit"]
    assert (row["judged"], row["planned"]) == (80, 120)
    assert row["sizes"] == 2
    assert row["checks"]["tied_weights"] == ["passed", "every tied weight is cloned"]
    assert [axis["wrong_from"] for axis in row["axes"]] == [None, 8]
    assert row["counterexample"] == case
    assert row["differs"] == "logits (2, 8, 4): off by 3.1e-01"
    assert row["cause"] == "modeling_x.py:7, in layers.0"
    assert row["not_looked_at"] == ["padding was not asked", "round_trip was not asked", "sequence above 9"]
    assert row["seconds"] == 1.0
    assert row["commands"] == [
        "pip install 'pytest-tsexport[suite]==0.1.0' torch==2.13.0 transformers==5.23.0",
        "pytest --pyargs pytest_tsexport.suite --ts-architectures=bert --ts-backend=jit --ts-budget=9 --ts-seed=5",
    ]


def test_runs_of_two_backends_share_a_row_and_heads_have_none() -> None:
    simulated = run(*right("gpt2", backend="neuron-sim"), *right("bert", backend="neuron-sim"))
    found = rows_of([run(*right("bert"), *right("bert-ForMaskedLM")), simulated])
    assert {name: list(row) for name, row in found.items()} == {"bert": ["jit", "neuron-sim"], "gpt2": ["neuron-sim"]}


def test_what_is_no_architecture_has_no_row() -> None:
    assert rows_of([run(verdict("parity", subject="test_export.py::test_bert"))]) == {}


def test_sizes_that_were_left_out_for_one_reason_are_counted() -> None:
    late = [f"(batch={size}): no time left in the budget" for size in (3, 4)]
    assert folded([*late, "sequence above 9", "(batch=7): eager raises"]) == [
        "2 sizes, as (batch=3): no time left in the budget",
        "(batch=7): eager raises",
        "sequence above 9",
    ]


def test_an_atlas_fits_its_schema() -> None:
    runs = [run(*right("bert"), *replaced(failed("parity", "differs"), of="xlm"), unanswered=(lost("vit", "why"),))]
    atlas = made(runs)
    jsonschema.validate(atlas, SCHEMA, cls=jsonschema.Draft202012Validator)
    assert atlas["versions"] == VERSIONS
    atlas["types"]["bert"]["jit"]["state"] = "fine"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(atlas, SCHEMA, cls=jsonschema.Draft202012Validator)


@pytest.mark.slow
def test_the_atlas_that_is_published_fits_its_schema() -> None:
    jsonschema.validate(read(ATLAS), SCHEMA, cls=jsonschema.Draft202012Validator)


@pytest.mark.parametrize(
    ("sizes", "visited", "text"),
    [
        ([1, 2, 3], [1, 2, 3], "1-3"),
        ([3], [1, 3], "3"),
        ([1, 2, 5, 9], [1, 2, 5, 9], "1-2 … 9"),
        ([1, 3], [1, 2, 3], "1, 3"),
        ([1, 3, 5, 7], [1, 2, 3, 4, 5, 6, 7], "1, 3, 5 …"),
        ([], [1], ""),
    ],
)
def test_ranges_join_what_nothing_between_contradicts(sizes: list[int], visited: list[int], text: str) -> None:
    assert ranges(sizes, visited) == text


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, "n right at 6-8"),
        ({"right": [], "raises": [6, 8]}, "n right at 7, raises at any other"),
        ({"right": [6], "raises": [8]}, "n right at 6-7, raises at 8"),
        ({"right": [6], "wrong": [8], "wrong_from": 8}, "n right at 6-7, wrong from 8"),
        ({"right": [8], "wrong": [6]}, "n right at 7-8, wrong at 6"),
        ({"right": [], "wrong": [6, 8], "wrong_from": 8}, "n right at 7, wrong at 6, wrong from 8"),
    ],
)
def test_an_axis_in_words(change: dict[str, Any], words: str) -> None:
    axis = {"name": "n", "traced": 7, "right": [6, 8], "raises": [], "wrong": [], "wrong_from": None}
    assert in_words({**axis, **change}) == words


def test_the_tenth_is_fixed_whatever_else_there_is() -> None:
    types = [f"model_{number}" for number in range(1000)]
    assert 60 < len(tenth(types)) < 140
    assert set(tenth(types[:500])) == set(tenth(types)) & set(types[:500])
