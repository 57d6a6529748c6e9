"""The contract of a verdict is plain data that says what the file was judged by."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch

from pytest_tsexport import Outcome, validate
from pytest_tsexport.testing import wrong_exports as made
from pytest_tsexport.testing.specimen import rows


def contract(**keywords: Any) -> dict[str, Any]:
    """The contract of the verdict about a model of one layer, as it arrives from another process."""
    (verdict,) = validate(made.Plain(), rows()(), checks=["trace"], **keywords)
    assert verdict.outcome is Outcome.PASSED
    found: dict[str, Any] = json.loads(json.dumps(verdict.to_dict()["contract"], allow_nan=False))
    assert found == verdict.contract
    return found


def test_without_keywords_it_is_that_of_the_backend() -> None:
    found = contract()
    assert found["inputs"] == {"x": "float32 [2, 7]"}
    assert {axis["contract"] for axis in found["axes"].values()} == {"safe"}
    assert found["axes"]["batch"] == {"traced": 2, "least": 1, "most": None, "contract": "safe"}
    assert (found["rtol"], found["atol"], found["metric"], found["guard"]) == (None, None, None, False)


def test_what_the_marker_says_is_in_it() -> None:
    batch = torch.export.Dim("batch", min=1, max=8)
    found = contract(
        dynamic_shapes={"x": {0: batch}},
        rtol={"output": 1e-3},
        atol={"output": 0},
        metric="argmax",
        reference=made.Plain(),
        xfail={"shapes": "we pad"},
    )
    assert found["axes"] == {"batch": {"traced": 2, "least": 1, "most": 8, "contract": "dynamic"}}
    assert (found["rtol"], found["atol"], found["metric"]) == ({"output": 1e-3}, {"output": 0.0}, "argmax")
    assert found["reference"] is True
    assert found["xfail"] == {"shapes": "we pad"}


@pytest.mark.parametrize("guard", [False, True])
def test_a_guarded_export_promises_one_size(guard: bool) -> None:  # noqa: FBT001  # a parameter of the test
    kinds = {axis["contract"] for axis in contract(guard=guard)["axes"].values()}
    assert kinds == {"fixed" if guard else "safe"}
