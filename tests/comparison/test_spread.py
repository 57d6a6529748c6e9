"""Proves that a subject is refused where no comparison would mean anything, and only there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
import torch
from torch import nn

from pytest_tsexport.cases.case import at, tensors
from pytest_tsexport.comparison.sampling import answers
from pytest_tsexport.comparison.spread import Spread, measure
from pytest_tsexport.config.marker import Meaning
from pytest_tsexport.subjects.build import build
from pytest_tsexport.subjects.reference import Answer, Reference
from pytest_tsexport.testing import Specimen, right, wrong
from pytest_tsexport.testing.specimen import ids, rows
from pytest_tsexport.testing.wrong_exports import ZeroInitMixing
from tests.subjects.families import build as family


def spread(
    model: nn.Module, inputs: Mapping[str, torch.Tensor] | None = None, metric: str | Mapping[str, str] | None = None
) -> Spread:
    subject = build(model, Meaning(inputs=inputs), name="it")
    return measure(subject, Reference(model, subject.constants), metric)


VACUOUS = [one for one in wrong() if one.family == "vacuous"]


@pytest.mark.parametrize("specimen", VACUOUS, ids=lambda one: one.title)
@pytest.mark.parametrize("seed", range(3))
def test_a_vacuous_subject_is_refused(specimen: Specimen, seed: int) -> None:
    assert spread(specimen.model(seed), specimen.inputs()).vacuous is not None


@pytest.mark.one_in(3)
@pytest.mark.parametrize("specimen", right(), ids=lambda one: one.title)
def test_a_right_one_is_not_refused(specimen: Specimen) -> None:
    assert spread(specimen.model(), specimen.inputs()).vacuous is None


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("name", ["bert", "gpt2", "t5", "mobilebert", "electra", "roc_bert"])
def test_a_freshly_built_transformer_is_not_refused(name: str, dtype: torch.dtype) -> None:
    assert spread(family(name).to(dtype)).vacuous is None


def test_the_spread_is_the_standard_deviation_at_each_place() -> None:
    class Scales(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x * torch.tensor([1.0, 100.0])

    found = spread(Scales(), rows(400, 2)())
    scale = float(rows(400, 2)()["x"].abs().mean())
    one, hundred = found.by_place["output"].mean(0).tolist()
    assert [one, hundred / 100] == pytest.approx([scale, scale], rel=0.3)


class Columns(nn.Module):
    """Beside what moves stands a column of one huge value, and one that is far larger than the rest and moves."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([x, torch.full_like(x[:, :1], -1e9), x[:, :1] * 1e9], 1)


def test_a_constant_or_a_huge_column_neither_refuses_a_leaf_nor_hides_another_place() -> None:
    found = spread(Columns(), rows()())
    assert (found.vacuous, found.flat) == (None, ())
    places = found.by_place["output"]
    assert not places[:, 7].any()
    assert float(places[:, :7].max()) < 10
    assert float(places[:, 8].min()) > 1e7


class Unmoved(nn.Module):
    """No place moves: one is huge, and one moves by its last digit alone."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        last = 1.0 + torch.where(x[:, :1] > 0, 2**-23, 0.0)
        return torch.cat([torch.ones_like(x) * 3, torch.full_like(x[:, :1], -1e9), last], 1)


def test_a_leaf_of_which_no_place_moves_is_flat() -> None:
    found = spread(Unmoved(), rows()())
    assert found.flat == ("output",)
    assert found.vacuous == "its outputs do not move when its inputs do, so any export would pass"


def test_a_leaf_that_does_not_move_is_named_and_the_other_is_measured() -> None:
    class Half(nn.Module):
        def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
            return {"moves": x, "stays": torch.ones_like(x)}

    found = spread(Half(), rows()())
    assert found.flat == ("stays",)
    assert found.vacuous is None
    assert not found.by_place["stays"].any()


class Rare(nn.Module):
    """Answers only an input whose mean is at least so large."""

    def __init__(self, least: float) -> None:
        super().__init__()
        self.least = least

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if float(x.mean()) < self.least:
            raise ValueError("too small")
        return x * 2


def test_one_answer_alone_does_not_move() -> None:
    subject = build(Rare(-1e9), Meaning(inputs=rows()()), name="it")
    fields = (replace(one, domain=replace(one.domain, own=None)) for one in subject.fields)
    subject = replace(subject, fields=tuple(fields))  # else the example's own values are answered too
    means = [float(one["output"].mean()) / 2 for one in answers(subject, Reference(Rare(-1e9), {}))]
    found = measure(subject, Reference(Rare(max(means)), {}))
    assert found.vacuous == "its outputs do not move when its inputs do, so any export would pass"
    assert not found.by_place["output"].any()


def test_where_eager_answers_nothing_there_is_nothing_to_say() -> None:
    subject = build(Rare(-1e9), Meaning(inputs=rows()()), name="it")
    found = measure(subject, Reference(Rare(1e9), {}))
    assert (found.by_place, found.flat, found.vacuous) == ({}, (), None)


def test_zeros_do_not_move() -> None:
    class Zeros(nn.Module):
        def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            return x, torch.zeros_like(x)

    assert spread(Zeros(), rows()()).flat == ("1",)


def test_a_move_of_the_last_digit_is_none() -> None:
    class Last(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return 1.0 + torch.where(x > 0, 2**-23, 0.0)

    found = spread(Last(), rows()())
    assert found.flat == ("output",)
    assert not found.by_place["output"].any()


def test_integers_and_booleans_have_no_spread_and_are_no_reason_to_refuse() -> None:
    class Counts(nn.Module):
        def forward(self, ids: torch.Tensor) -> torch.Tensor:
            return ids * 2

    found = spread(Counts(), ids()())
    assert (found.by_place, found.flat, found.vacuous) == ({}, (), None)


def test_a_model_that_mixes_no_positions_by_design_is_not_refused() -> None:
    class Alone(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed = nn.Embedding(50, 4)

        def forward(self, ids: torch.Tensor) -> torch.Tensor:
            answer: torch.Tensor = self.embed(ids)
            return answer

    assert spread(Alone(), ids()()).vacuous is None


class OneWeight(nn.Module):
    """Each value is multiplied by one weight, a matrix of one element."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Linear(1, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.scale(x.unsqueeze(-1)).squeeze(-1)
        return answer


def test_a_matrix_of_one_element_has_no_deviation_to_rescale() -> None:
    """Warnings are errors here, as in many suites, and torch warns of such a deviation."""
    assert spread(OneWeight(), rows()()).vacuous is None


def test_measuring_leaves_the_model_as_it_was() -> None:
    model = ZeroInitMixing()
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    spread(model, ids()())
    assert all(torch.equal(model.state_dict()[name], weight) for name, weight in before.items())


@pytest.mark.parametrize(
    ("title", "sentence"),
    [
        ("ZeroInit", "its outputs do not move when its inputs do, so any export would pass"),
        (
            "ZeroInitMixing",
            "its positions hardly influence one another (zero-init weights?), so a wrong export would pass",
        ),
    ],
)
def test_the_sentence_says_why(title: str, sentence: str) -> None:
    (specimen,) = (one for one in VACUOUS if one.title == title)
    assert spread(specimen.model(), specimen.inputs()).vacuous == sentence


@pytest.mark.parametrize("dtype", [torch.bool, torch.int64])
def test_integers_that_never_move_are_vacuous(dtype: torch.dtype) -> None:
    class Constant(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.ones_like(x, dtype=dtype)

    assert (
        spread(Constant(), rows()()).vacuous == "its outputs do not move when its inputs do, so any export would pass"
    )


class Positive(nn.Module):
    """How many values it answers follows from the values that it is given."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[x > 0] * 2


class Distinct(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = torch.unique((x * 300).long())
        return found


class CountsOnes(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.ones_like(x[x > 0])


@pytest.mark.parametrize("size", [(2, 4), (4, 64)])
@pytest.mark.parametrize("model", [Positive, Distinct, CountsOnes])
def test_a_shape_that_moves_is_an_output_that_moves(model: type[nn.Module], size: tuple[int, int]) -> None:
    for seed in range(3):
        found = spread(model(), {"x": torch.randn(*size, generator=torch.Generator().manual_seed(seed))})
        assert (found.vacuous, found.flat) == (None, ())
        assert all(bool(value.any()) for value in found.by_place.values()) or model is CountsOnes


class Head(nn.Module):
    bias: torch.Tensor

    def __init__(self, *bias: float) -> None:
        super().__init__()
        self.register_buffer("bias", torch.tensor(bias))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[..., : len(self.bias)] + self.bias


SAYS = "what metric={!r} compares is the same for all inputs, so any export would pass"


@pytest.mark.parametrize(
    ("bias", "metric", "says"),
    [
        ((0.0,), "argmax", True),
        ((1e5, 0.0, 0.0), "argmax", True),
        ((1e5, 0.0, 0.0), "cosine", True),
        ((0.0, 0.0, 0.0), "argmax", False),
        ((0.0, 0.0, 0.0), "cosine", False),
        ((1e5, 0.0, 0.0), None, False),
    ],
)
def test_what_the_metric_does_not_see_move_is_flat(bias: tuple[float, ...], metric: str | None, *, says: bool) -> None:
    found = spread(Head(*bias), rows(7, 3)(), metric)
    assert found.flat == (("output",) if says else ())
    assert found.vacuous == (SAYS.format(metric) if says else None)
    assert bool(found.by_place["output"].any())


def test_a_metric_of_one_leaf_leaves_the_others_theirs() -> None:
    class Both(nn.Module):
        def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
            return {"score": x[:, :1], "states": x}

    found = spread(Both(), rows()(), {"score": "argmax"})
    assert (found.flat, found.vacuous) == (("score",), None)


def test_real_examples_may_be_the_ones_that_move_a_choice() -> None:
    """A trained classifier may answer one class to whatever is drawn."""
    inputs = {"x": torch.randn(2, 3)}
    rare = {"x": torch.tensor([[0.0, 200.0, 0.0], [0.0, 0.0, 0.0]])}

    def vacuous(examples: list[dict[str, torch.Tensor]]) -> str | None:
        meaning = Meaning(inputs=inputs, examples=examples, metric="argmax")
        subject = build(Head(100.0, 0.0, 0.0), meaning, name="it")
        return measure(subject, Reference(subject.reference, subject.constants), "argmax").vacuous

    assert vacuous([]) == SAYS.format("argmax")
    assert vacuous([rare]) is None


class Records(Reference):
    """Keeps the inputs of each case that it is asked."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__(model, {})
        self.seen: list[torch.Tensor] = []

    def case(self, inputs: Mapping[str, torch.Tensor], calls: int = 1) -> list[Answer]:
        self.seen.append(inputs["x"])
        return super().case(inputs, calls)


def test_where_the_metric_sees_no_move_real_examples_and_fifty_more_cases_are_asked() -> None:
    model, examples = Head(1e5, 0.0, 0.0), [{"x": torch.ones(2, 3)}, {"x": torch.ones(5, 3)}]
    subject = build(model, Meaning(inputs={"x": torch.randn(2, 3)}, examples=examples), name="it")
    reference = Records(model)
    assert measure(subject, reference, "argmax").flat == ("output",)
    assert len(reference.seen) == 10 + 1 + 50
    assert torch.equal(reference.seen[10], torch.ones(2, 3))
    expected = [tensors(at(subject, {}, seed), subject)["x"] for seed in (2000, 2049)]
    assert all(torch.equal(one, other) for one, other in zip(expected, reference.seen[11::49], strict=True))


def test_no_more_cases_are_asked_once_the_metric_sees_a_move_or_nothing_moves_at_all() -> None:
    model = Head(100.0, 0.0, 0.0)
    rare = {"x": torch.tensor([[0.0, 200.0, 0.0], [0.0, 0.0, 0.0]])}
    subject = build(model, Meaning(inputs={"x": torch.randn(2, 3)}, dynamic_shapes={}, examples=[rare]), name="it")
    reference = Records(model)
    assert measure(subject, reference, "argmax").flat == ()
    assert len(reference.seen) == 10 + 1
    still = Records(Same())
    assert measure(subject, still, "argmax").flat == ("output",)
    assert len(still.seen) == 10


class Same(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.ones_like(x)


def test_outputs_that_are_all_nan_are_told_as_that_and_empty_ones_are_not() -> None:
    class Answers(nn.Module):
        def __init__(self, value: torch.Tensor) -> None:
            super().__init__()
            self.value = value

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.value

    told = "its outputs are NaN whatever its inputs are, so any export would pass"
    for value, is_nan in ((torch.full((2,), torch.nan), True), (torch.ones(0), False)):
        for dtype in (torch.float32, torch.float8_e4m3fn):
            found = spread(Answers(value.to(dtype)), {"x": torch.rand(2)})
            assert (found.vacuous == told) is is_nan
