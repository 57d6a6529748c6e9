"""Proves what the variants of eager are, and that none of them changes the model or is asked twice."""

from __future__ import annotations

import copy
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from pytest_tsexport.comparison import variants as module
from pytest_tsexport.comparison.variants import FIRST_TIMES, WIDER, CaseVariants, Variant, Variants
from pytest_tsexport.subjects.reference import Reference
from pytest_tsexport.testing.wrong_state import CountsCalls


class Shows(nn.Module):
    """Answers with its weights, one of which has two names, with a list of tensors, and with its inputs."""

    scale: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.matrix = nn.Parameter(torch.ones(2, 2))
        self.tied = self.matrix
        self.vector = nn.Parameter(torch.ones(2))
        self.register_buffer("scale", torch.ones(2, 2))
        self.tables = [torch.tensor([1 / 3])]

    def forward(self, x: torch.Tensor, ids: torch.Tensor) -> dict[str, torch.Tensor]:
        held = {name: getattr(self, name) for name in ("matrix", "tied", "vector", "scale")}
        made = torch.zeros(1, dtype=torch.float32) + 1 / 3
        return {"x": x, "ids": ids, "table": self.tables[0], "made": made, **held}


INPUTS = {"x": torch.tensor([1.0, 1 / 3]), "ids": torch.tensor([7])}


def variants_of(model: nn.Module, cast: torch.dtype | None = None, **inputs: torch.Tensor) -> Variants:
    subject: Any = SimpleNamespace(reference=model, constants={}, inputs=inputs or INPUTS)
    return Variants(subject, cast)


def asked(variants: Variants, variant: Variant, **inputs: torch.Tensor) -> dict[str, torch.Tensor]:
    answers = variants.answers(
        variant, lambda reference, converted, _calls: reference.case(converted(inputs or INPUTS))
    )
    assert answers[0].leaves is not None
    return dict(answers[0].leaves)


def test_matrices_tables_and_inputs_are_nudged_and_exact_vectors_buffers_and_integers_are_not() -> None:
    model = Shows()
    before = {name: leaf.clone() for name, leaf in model(**INPUTS).items()}
    state = copy.deepcopy(model.state_dict())
    after = asked(variants_of(model, cast=torch.bfloat16), Variant("cast", 0))
    assert [name for name in before if not torch.equal(after[name], before[name])] == ["x", "table", "matrix", "tied"]
    assert torch.equal(after["matrix"], after["tied"])
    assert after["x"][0] == 1.0
    assert all(torch.equal(one, state[name]) for name, one in model.state_dict().items())


def test_each_run_with_moved_steps_is_another_one_and_the_same_each_time() -> None:
    x, model = torch.linspace(0.1, 0.9, 40), nn.Softplus()
    one, again, other = (
        asked(variants_of(model, input=x), Variant("moved", number), input=x)["output"]
        for number in (5, 5, len(FIRST_TIMES) + 5)
    )
    assert torch.equal(one, again)
    assert float((other - model(x)).abs().max()) > 2 * float((one - model(x)).abs().max()) > 0


def test_in_the_wider_type_all_that_the_model_holds_and_makes_is_wide() -> None:
    found = asked(variants_of(Shows()), WIDER)
    assert {name: leaf.dtype for name, leaf in found.items()} == {
        **dict.fromkeys(("x", "table", "made", "matrix", "tied", "vector", "scale"), torch.float64),
        "ids": torch.int64,
    }
    assert float(found["made"]) == 1 / 3
    assert torch.get_default_dtype() == torch.float32


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_widened_to_float32(dtype: torch.dtype) -> None:
    found = asked(variants_of(nn.Linear(2, 2).to(dtype), input=torch.ones(2, dtype=dtype)), WIDER, input=torch.ones(2))
    assert found["output"].dtype == torch.float32
    assert variants_of(Shows().to(dtype)).half
    assert not variants_of(Shows()).half


class Refuses(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.dtype == torch.float64:
            raise TypeError("float32 alone")
        return x * 1


def test_why_there_is_no_wider_answer_is_known_once_it_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = variants_of(Refuses(), x=torch.ones(2))
    assert refused.why_not_wider is None
    refused.answers(WIDER, lambda reference, converted, _calls: reference.case(converted({"x": torch.ones(2)})))
    assert refused.why_not_wider == "TypeError: float32 alone"
    monkeypatch.setattr(module, "WIDER_BYTES", 10)
    large = variants_of(Shows())
    assert large.answers(WIDER, lambda reference, converted, _calls: reference.case(converted(INPUTS))) == []
    assert large.why_not_wider == "its weights take 0.0 GiB"


def test_of_a_model_that_is_too_large_the_small_weights_are_nudged(monkeypatch: pytest.MonkeyPatch) -> None:
    model = nn.Sequential(nn.Linear(64, 64), nn.Linear(64, 2))
    monkeypatch.setattr(module, "WIDER_BYTES", 1500)
    nudged = variants_of(model, input=torch.ones(64))._nudged(Variant("moved", 0))
    same = [torch.equal(one, other) for one, other in zip(model.parameters(), nudged.parameters(), strict=True)]
    assert same[:3] == [True, False, False]


@pytest.mark.parametrize(("kept", "made"), [(2**30, 1), (0, 2)])
def test_copies_are_kept_while_they_are_small(kept: int, made: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT_BYTES", kept)
    variants = variants_of(Shows(), cast=torch.bfloat16)
    seen: set[int] = set()
    references: list[Reference] = []

    def ask(reference: Reference, converted: Any, _calls: int | None) -> Any:
        seen.add(id(reference))
        references.append(reference)
        return reference.case(converted(INPUTS))

    for _ in range(2):
        variants.answers(Variant("cast", 0), ask)
    assert len(seen) == made


def test_a_variant_is_asked_for_the_first_call_and_once_more_for_the_others() -> None:
    questions: list[int | None] = []

    def ask(reference: Reference, converted: Any, calls: int | None) -> Any:
        questions.append(calls)
        return reference.case(converted({"x": torch.ones(1)}), 3 if calls is None else calls)

    case = CaseVariants(variants_of(CountsCalls(), x=torch.ones(1)), ask)
    first = case.leaves(Variant("unmoved"), 0)
    assert (first is not None, questions) == (True, [1])
    found = [case.leaves(Variant("unmoved"), call) for call in (0, 1, 2, 0)]
    assert [None if one is None else float(one["output"]) for one in found] == [1.0, 2.0, 3.0, 1.0]
    assert case.leaves(Variant("unmoved"), 3) is None
    assert questions == [1, None]
