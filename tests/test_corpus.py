"""Proves that the benchmark of mutated files is to be trusted: what it changes is in the file, what it calls wrong is
wrong, and what it counts is so."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import pytest
import torch
from torch import nn

from pytest_tsexport.testing.files import quiet
from tests.benchmarks.corpus import graphs, report
from tests.benchmarks.corpus.family import Family, as_if_trained
from tests.benchmarks.corpus.modules import modules
from tests.benchmarks.corpus.mutations import Mutation, apply, changes, drawn, sites
from tests.benchmarks.corpus.noise import Noise, nudged
from tests.benchmarks.corpus.plain_inputs import Input, Plan, draw, example
from tests.benchmarks.corpus.trials import Effort, Subject, Trial, trial
from tests.benchmarks.corpus.truth import BETWEEN, EQUIVALENT, RAISING, WRONG, Eager, leaves, run, truth_about

EFFORT = Effort(inputs=200, max_examples=30)
ROWS = Plan(inputs=(Input("x", ("batch", "length", 4)),), traced={"batch": 2, "length": 7})


class Mixes(nn.Module):
    """Right: something of each kind that can be changed."""

    def __init__(self) -> None:
        super().__init__()
        self.lift, self.head = nn.Linear(4, 6), nn.Linear(6, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        states = torch.relu(self.lift(x)) + torch.arange(x.shape[1])[:, None] * 0.25
        answer: torch.Tensor = self.head(states.reshape(x.shape[0] * x.shape[1], 6)).view(x.shape[0], -1, 3)
        return answer - answer.mean(1, keepdim=True)


@pytest.fixture
def subject(tmp_path: Path) -> Subject:
    return Subject(Family("mixes", built, ROWS), tmp_path)


def built() -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        return Mixes()


def all_changes(subject: Subject) -> list[Mutation]:
    file = graphs.opened(subject.right)
    return [one for place in sites(file, subject.numbers) for one in changes(file, place, subject.numbers, Random(0))]


def the_change(subject: Subject, wanted: Callable[[Mutation], bool]) -> Mutation:
    return next(one for one in all_changes(subject) if wanted(one))


def mutated(subject: Subject, mutation: Mutation) -> Path:
    path = subject.folder / "mutated.pt"
    file = graphs.opened(subject.right)
    apply(file, mutation)
    graphs.save(file.module, path)
    return path


def code(path: Path) -> str:
    """The code of `forward` with all that it calls; the names of classes, which each loading changes, are not in it."""
    return str(graphs.opened(path).module.code)


@pytest.mark.parametrize("kind", ["constant", "operator", "branch", "frozen size", "arguments"])
def test_a_change_of_the_graph_is_in_the_file(subject: Subject, kind: str) -> None:
    assert code(subject.right) == code(subject.right)
    mutation = the_change(subject, lambda one: one.kind == kind)
    assert code(mutated(subject, mutation)) != code(subject.right)


@pytest.mark.parametrize("change", ["row negated", "rows swapped", "element moved", "scaled by 1.01"])
def test_a_change_of_a_weight_is_in_the_file_and_nowhere_else(subject: Subject, change: str) -> None:
    def is_wanted(one: Mutation) -> bool:
        return (one.kind, one.after, one.before) == ("weight", change, "weight")

    path = mutated(subject, the_change(subject, is_wanted))
    before, after = (dict(graphs.loaded(one).named_parameters()) for one in (subject.right, path))
    assert [name for name in before if not torch.equal(before[name], after[name])] == ["model.lift.weight"]
    assert code(path) == code(subject.right)


@pytest.mark.slow
def test_the_right_file_is_not_changed(subject: Subject) -> None:
    held = subject.right.read_bytes()
    assert len(list(islice(subject.mutated(seed=0), 4))) == 4
    assert subject.right.read_bytes() == held


def test_a_size_is_frozen_at_what_it_was_while_tracing(subject: Subject) -> None:
    frozen = [one for one in all_changes(subject) if one.kind == "frozen size"]
    assert {one.value for one in frozen} == {2, 7, 14}


def test_where_numbers_are_kept_is_left_alone(subject: Subject) -> None:
    file = graphs.opened(subject.right)
    names = {
        graphs.arguments(file.nodes[one.node])[one.argument] for one in all_changes(subject) if one.kind == "constant"
    }
    assert names
    assert not names & {"dtype", "layout", "device", "pin_memory"}


@pytest.mark.slow
def test_a_seed_draws_the_same_mutations_again(subject: Subject) -> None:
    first, again, other = ([one.mutation.text for one in islice(subject.mutated(seed), 3)] for seed in (0, 0, 1))
    assert first == again
    assert first != other


def test_no_two_mutations_are_alike_and_a_small_module_has_few(tmp_path: Path) -> None:
    attends = next(one for one in modules() if one.name == "Attends")
    found = [one.mutation.text for one in Subject(attends, tmp_path).mutated(seed=0)]
    assert len(found) == len(set(found)) < 20


@pytest.mark.slow
def test_nodes_are_drawn_uniformly(subject: Subject) -> None:
    file, random = graphs.opened(subject.right), Random(0)
    places = sites(file, subject.numbers)
    drawings = [drawn(file, subject.numbers, random).node for _ in range(60 * len(places))]
    counts = [drawings.count(place) for place in places]
    assert 30 < min(counts) <= max(counts) < 95


@pytest.mark.parametrize(
    ("wanted", "kind"),
    [
        (lambda one: one.operator == "aten::relu" and one.kind == "branch", WRONG),
        (lambda one: one.operator == "aten::mul" and one.after == "tensor(0.225)", WRONG),
        (lambda one: one.operator == "aten::mean" and one.before == "True", WRONG),
        (lambda one: one.operator == "aten::add" and one.before == "1" and one.after == "2", WRONG),
        (lambda one: one.operator == "aten::arange" and one.kind == "frozen size", RAISING),
    ],
)
def test_the_truth_about_a_change_is_known(subject: Subject, wanted: Callable[[Mutation], bool], kind: str) -> None:
    mutation = the_change(subject, wanted) if kind != WRONG else changed(subject, wanted)
    assert truth_about(subject.eager, mutated(subject, mutation), 100).kind == kind


def changed(subject: Subject, wanted: Callable[[Mutation], bool]) -> Mutation:
    """A change that is wanted, with any of the random parts that it may have."""
    file = graphs.opened(subject.right)
    for seed in range(50):
        for place in sites(file, subject.numbers):
            for one in changes(file, place, subject.numbers, Random(seed)):
                if wanted(one):
                    return one
    raise AssertionError("no such change")


def test_the_right_file_is_equivalent(subject: Subject) -> None:
    found = truth_about(subject.eager, subject.right, 100)
    assert (found.kind, found.inputs) == (EQUIVALENT, 100)


def written(subject: Subject, module: nn.Module) -> Path:
    path = subject.folder / "other.pt"
    with quiet():
        graphs.save(torch.jit.trace(module.eval(), tuple(subject.example.values()), check_trace=False), path)
    return path


class AddsInOtherOrder(nn.Module):
    """The same sums in another order: noise, and nothing else."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        states = torch.relu(self.model.lift(x)) + torch.arange(x.shape[1])[:, None] * 0.25
        order = [5, 2, 0, 1, 4, 3]
        head = nn.functional.linear(states[..., order], self.model.head.weight[:, order], self.model.head.bias)
        return head - head.mean(1, keepdim=True)


def test_another_order_of_a_sum_is_neither_wrong_nor_equivalent(subject: Subject) -> None:
    found = truth_about(subject.eager, written(subject, AddsInOtherOrder(subject.model)), 100)
    assert found.kind == BETWEEN
    assert 0 < found.ratio <= 32


class WrongOnceInMany(nn.Module):
    """Differs where the first number is large, which few inputs have."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.model(x) + 1e-3 * (x[0, 0, 0] > 2.5)
        return answer


def test_what_differs_for_few_inputs_is_wrong_and_the_input_is_named(subject: Subject) -> None:
    found = truth_about(subject.eager, written(subject, WrongOnceInMany(subject.model)), 2000)
    assert found.kind == WRONG
    _, inputs = subject.eager.inputs(found.number)
    assert inputs["x"][0, 0, 0] > 2.5


class RaisesForBatches(nn.Module):
    """Raises at every batch but one."""

    def __init__(self, model: nn.Module, batch: int) -> None:
        super().__init__()
        self.model, self.batch = model, batch

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.model(x) * (torch.ones(self.batch) + 0 * x[:, 0, 0])[0]
        return answer


def test_a_raise_is_wrong_at_the_traced_size_only(subject: Subject) -> None:
    path = written(subject, RaisesForBatches(subject.model, 2))
    assert truth_about(subject.eager, path, 100).kind == RAISING
    with quiet():
        graphs.save(torch.jit.script(_Refuses()), path)
    found = truth_about(subject.eager, path, 100)
    assert (found.kind, found.ratio) == (WRONG, float("inf"))


class _Refuses(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.shape[0] == 2:
            raise ValueError("not two")
        return x


class BakesLength(nn.Module):
    """Wrong by itself at another length."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.sum(1) / int(x.shape[1])


def test_an_input_at_which_the_unchanged_file_is_wrong_proves_nothing(tmp_path: Path) -> None:
    with quiet():
        subject = Subject(Family("bakes", BakesLength, ROWS), tmp_path)
    asked = [number for number in range(200) if subject.eager.answer(number) is not None]
    assert 100 <= len(asked) < 120
    assert {subject.eager.inputs(number)[0]["length"] for number in asked} == {7}


class Noisy(nn.Module):
    """Another answer at each call, so that no two are equal."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + torch.rand_like(x)


def test_a_family_whose_right_file_is_never_equal_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="the right file of noisy is not equal to eager"):
        Subject(Family("noisy", Noisy, ROWS), tmp_path)


def test_more_nudges_are_asked_for_only_where_few_do_not_explain_a_difference(subject: Subject) -> None:
    answer = subject.eager.answer(0)
    assert answer is not None
    near, far = ([leaf + add for leaf in answer] for add in (1e-7, 1e-2))
    assert subject.eager.difference(0, answer, near).ratio < 32 < subject.eager.difference(0, answer, far).ratio
    few, many = (subject.eager.noise(0, answer, nudges)[0] for nudges in (2, 16))
    assert (few <= many).all()
    assert (few < many).any()


@pytest.mark.slow
def test_the_truth_and_the_package_agree_about_a_handful(subject: Subject) -> None:
    found = [trial(subject, one, EFFORT) for one in islice(subject.mutated(seed=0), 8)]
    assert {one.truth for one in found} >= {WRONG}
    assert [one for one in found if one.missed or one.accused] == []


def test_noise_is_of_each_element_and_as_small_as_rounding() -> None:
    model = nn.Linear(4, 2, bias=False)
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[1.0, 2, 3, 4], [1e6, 2e6, 3e6, 4e6]]))
    inputs = {"input": torch.ones(1, 4)}
    with torch.no_grad():
        noise = Noise(model, lambda one, given: leaves(one(**given)))
        small, large = noise.at(inputs, leaves(model(**inputs)))[0][0].tolist()
    assert 1e-7 < small < 1e-5
    assert large == pytest.approx(1e6 * small, rel=3)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16])
def test_a_nudge_moves_by_two_ulp_at_most(dtype: torch.dtype) -> None:
    values = torch.linspace(0.5, 8, 1000).to(dtype)
    moved = nudged(values, torch.Generator().manual_seed(0))
    most = 2 if torch.finfo(dtype).bits >= 32 else 1
    steps = (moved.double() - values.double()).abs() / (torch.finfo(dtype).eps * values.double().log2().floor().exp2())
    assert 0 < steps.max() <= most
    assert 0.3 < (moved != values).double().mean() < 0.9


def test_inputs_are_of_the_traced_size_every_second_time_and_padded_on_the_right() -> None:
    pooled = next(one for one in modules() if one.name == "MaskedMean")
    drawings = [draw(pooled.plan, "it", number) for number in range(80)]
    assert all(sizes == dict(pooled.plan.traced) for sizes, _ in drawings[::2])
    assert {sizes["batch"] for sizes, _ in drawings} >= {1, 2, 3, 4}
    assert max(sizes["length"] for sizes, _ in drawings) > 21
    for _, inputs in drawings:
        mask = inputs["mask"]
        assert mask.sum(1).min() >= 1
        assert torch.equal(mask, mask.sort(dim=1, descending=True).values)
    assert {int(inputs["ids"].max()) for _, inputs in drawings} > {48, 49}
    assert example(pooled.plan)["mask"].min() == 1


def test_a_model_has_weights_as_training_leaves_them() -> None:
    linear = nn.Linear(32, 32)
    nn.init.normal_(linear.weight, std=0.02)
    nn.init.zeros_(linear.bias)
    trained = as_if_trained(nn.Sequential(linear))
    assert float(trained.get_parameter("0.weight").detach().std()) == pytest.approx(0.1)
    assert (trained.get_parameter("0.bias") != 0).all()


@pytest.mark.parametrize("family", modules(), ids=lambda one: one.name)
def test_the_right_file_of_a_module_is_right_at_every_size(family: Family, tmp_path: Path) -> None:
    subject = Subject(family, tmp_path)
    assert all(subject.eager.answer(number) is not None for number in range(30))
    assert sites(graphs.opened(subject.right), subject.numbers)


def fake(number: int, truth: str, *, failed: bool = False, **more: Any) -> Trial:
    outcomes = {"parity": "failed" if failed else "passed", "shapes": "passed"}
    return Trial(
        family="mixes",
        number=number,
        seed=0,
        kind="constant",
        mutation="constant at node 4, aten::add argument 2: 1 -> 2",
        truth=truth,
        inputs=9,
        outcomes=outcomes,
        headline="differs",
        seconds=2.0,
        **more,
    )


SUMMARY = """\
family                  wrong  found  equal  accused  raising  accused  between  seconds
mixes                       2      1      2        1        1        0        1     2.00
all                         2      1      2        1        1        0        1     2.00

mutation                wrong  found  equal  accused  raising  accused  between  seconds
constant                    2      1      2        1        1        0        1     2.00
all                         2      1      2        1        1        0        1     2.00

found     1 of 2 wrong files of 1 families: 50.0 % (95 %: 9.5 to 90.5)
accused   1 of 2 equivalent ones: 50.0 % (95 %: 9.5 to 90.5)
accused   0 of 1 raising ones: 0.0 % (95 %: 0.0 to 79.3)
failed    1 of 1 in between (neither counts): 100.0 % (95 %: 20.7 to 100.0)
redrawn   3 mutations that did not run, changed nothing, or were drawn before

missed
  mixes 1: constant at node 4, aten::add argument 2: 1 -> 2
    wrong after 9 inputs, 40 x noise at (batch=2, length=3): output 0 is off
    parity passed, shapes passed: differs

accused
  mixes 3: constant at node 4, aten::add argument 2: 1 -> 2
    equivalent after 9 inputs, 0 x noise at (no input): bit-equal
    parity failed, shapes passed: differs"""


def fakes() -> list[Trial]:
    return [
        fake(0, WRONG, failed=True, redrawn=3),
        fake(1, WRONG, sizes={"batch": 2, "length": 3}, ratio=40.0, shown="output 0 is off"),
        fake(2, EQUIVALENT),
        fake(3, EQUIVALENT, failed=True),
        fake(4, RAISING),
        fake(5, BETWEEN, failed=True),
    ]


def test_the_summary_is_this() -> None:
    assert "\n".join(report.summary(fakes())) == SUMMARY


@pytest.mark.parametrize(
    ("wrong", "found", "accused", "code"),
    [(20, 20, 0, 0), (20, 19, 0, 0), (20, 18, 0, 1), (20, 20, 1, 1), (0, 0, 0, 1)],
)
def test_the_exit_code_wants_95_percent_found_and_none_accused(wrong: int, found: int, accused: int, code: int) -> None:
    trials = [fake(number, WRONG, failed=number < found) for number in range(wrong)]
    trials += [fake(wrong + number, EQUIVALENT, failed=True) for number in range(accused)]
    assert report.exit_code([*trials, fake(99, BETWEEN, failed=True)]) == code


def test_a_check_that_judged_nothing_has_found_nothing_and_accused_nobody() -> None:
    unjudged = {"parity": "too slow", "shapes": "crashed"}
    assert replace(fake(0, WRONG), outcomes=unjudged).missed
    assert not replace(fake(0, EQUIVALENT), outcomes=unjudged).accused


@pytest.mark.parametrize(
    ("hits", "runs", "low", "high"),
    [(0, 0, 0.0, 1.0), (10, 10, 0.722, 1.0), (0, 10, 0.0, 0.278), (380, 400, 0.924, 0.967)],
)
def test_the_interval_is_that_of_wilson(hits: int, runs: int, low: float, high: float) -> None:
    assert report.interval(hits, runs) == pytest.approx((low, high), abs=1e-3)


def test_a_trial_is_plain_data() -> None:
    one = fakes()[1]
    assert Trial(**dataclasses.asdict(one)) == one


def test_a_file_is_given_its_inputs_by_name(subject: Subject) -> None:
    assert torch.equal(run(graphs.loaded(subject.right), subject.example)[0], subject.model(**subject.example))


def test_eager_is_asked_once_about_an_input(subject: Subject) -> None:
    eager = Eager("mixes", subject.model, {}, ROWS, subject.right)
    assert eager.answer(3) is eager.answer(3)
