"""Proves when an answer counts as moved, and when two changes count as moving answers alike."""

from __future__ import annotations

import pytest
import torch

from pytest_tsexport.comparison.factors import noise_floor
from pytest_tsexport.comparison.tied.file_values import Copy
from pytest_tsexport.comparison.tied.forms import Form
from pytest_tsexport.comparison.tied.movements import (
    INFINITE,
    Response,
    are_alike,
    in_units_of,
    keep_their_scale,
    misfit,
    response,
    settled,
    worst_slice,
)
from pytest_tsexport.comparison.tied.responses import Responses
from tests.comparison.tied.modules import Holds, responses, weights

BASE = {"output": torch.tensor([1.0, 2.0, 4.0])}


def moved(*by: float, dtype: torch.dtype = torch.float32) -> Response:
    base = {"output": BASE["output"].to(dtype)}
    return response(base, {"output": base["output"] + torch.tensor(by, dtype=dtype)})


def vector(*numbers: float) -> Response:
    return Response(1.0, torch.tensor(numbers, dtype=torch.float64))


def test_the_same_bits_are_dead_and_rounding_is_neither_dead_nor_live() -> None:
    still, rounded, live = moved(0, 0, 0), moved(0, 1e-6, 0), moved(0, 1e-3, 0)
    assert (still.is_dead, still.is_live) == (True, False)
    assert (rounded.is_dead, rounded.is_live) == (False, False)
    assert (live.is_dead, live.is_live) == (False, True)


@pytest.mark.parametrize(("dtype", "times"), [(torch.float32, 8), (torch.bfloat16, 2), (torch.float64, 8)])
def test_live_is_several_times_what_two_kernels_may_differ_by(dtype: torch.dtype, times: float) -> None:
    floor = noise_floor(BASE["output"].to(dtype))
    assert moved(0, 0, 1.3 * times * floor, dtype=dtype).is_live
    assert not moved(0, 0, 0.7 * times * floor, dtype=dtype).is_live


@pytest.mark.parametrize(
    "changed",
    [None, {"other": BASE["output"]}, {"output": torch.zeros(2)}],
    ids=["raised", "other names", "other shape"],
)
def test_an_answer_that_cannot_be_compared_is_live_and_says_no_more(changed: dict[str, torch.Tensor] | None) -> None:
    found = response(BASE, changed)
    assert found.is_live
    assert found.vector is None


def test_an_answer_that_is_no_longer_finite_is_live_and_says_no_more() -> None:
    found = moved(0, float("nan"), 0)
    assert found.is_live
    assert found.vector is None


def test_what_is_not_finite_in_both_has_not_moved() -> None:
    base = {"output": torch.tensor([float("-inf"), float("nan"), 1.0])}
    found = response(base, {"output": torch.tensor([float("-inf"), float("nan"), 2.0])})
    assert found.vector is not None
    assert found.vector.tolist() == [0.0, 0.0, 1.0]


def test_whole_numbers_have_moved_as_soon_as_they_differ_and_are_left_out_beside_others() -> None:
    index = {"index": torch.tensor([3, 4])}
    found = response(index, {"index": torch.tensor([3, 5])})
    assert found.is_live
    assert found.vector is not None
    assert found.vector.tolist() == [0.0, 1.0]
    both = response({**index, **BASE}, {"index": torch.tensor([3, 5]), **BASE})
    assert both.is_live
    assert both.vector is not None
    assert both.vector.tolist() == [0.0, 0.0, 0.0]


def test_no_output_at_all_has_not_moved() -> None:
    assert response({}, {}).is_dead


def test_what_does_not_move_does_not_say_what_rounding_explains() -> None:
    base = {"output": torch.tensor([1.0, 2.0, -1e9])}
    assert response(base, {"output": torch.tensor([1.0, 2.5, -1e9])}).is_live
    assert not response(base, {"output": torch.tensor([1.0, 2.5, -1e9 + 64])}).is_live


def test_what_a_larger_number_absorbs_is_rounding() -> None:
    """An answer before a norm moves by a step of 5.0, which 5.0 itself need not show."""
    base = {"output": torch.tensor([5.0, 1e-3])}
    assert not response(base, {"output": torch.tensor([5.0, 1e-3 + 1e-7])}).is_live
    assert response(base, {"output": torch.tensor([5.0, 2e-3])}).is_live


def test_a_far_larger_number_has_a_unit_of_its_own() -> None:
    base = {"states": torch.tensor([1.0, 1.0]), "logits": torch.tensor([1.0, 2.0, 4.0, -1e9])}
    changed = {"states": torch.tensor([2.0, 1.0]), "logits": torch.tensor([2.0, 2.0, 4.0, -1.1e9])}
    moved = in_units_of(base, response(base, changed)).vector
    assert moved is not None
    torch.testing.assert_close(
        moved, torch.tensor([1.0, 0.0, 0.25, 0.0, 0.0, -0.1], dtype=torch.float64), rtol=1e-6, atol=0
    )


def test_answers_are_alike_only_if_what_moved_is() -> None:
    base, eager = {"output": torch.tensor([1.0, -1e9])}, {"output": torch.tensor([1.5, -1e9])}
    assert are_alike(base, eager, {"output": torch.tensor([1.5 + 1e-6, -1e9])})
    assert not are_alike(base, eager, {"output": torch.tensor([1.6, -1e9])})
    assert keep_their_scale(base, eager)
    assert not keep_their_scale(base, {"output": torch.tensor([9.0, -1e9])})
    assert not keep_their_scale(base, base)


def test_answers_of_other_shapes_are_not_alike() -> None:
    assert not are_alike(BASE, {"output": BASE["output"] + 1}, {"output": torch.ones(2)})
    assert not are_alike(BASE, {"output": BASE["output"] + 1}, {"other": BASE["output"] + 1})


@pytest.mark.parametrize(("dtype", "steps"), [(torch.bfloat16, 2), (torch.float16, 3), (torch.float32, 3)])
def test_a_few_steps_of_the_type_are_settled_and_more_are_not(dtype: torch.dtype, steps: int) -> None:
    eps = torch.finfo(dtype).eps
    base = {"output": BASE["output"].to(dtype)}

    def by(*numbers: float) -> Response:
        return in_units_of(base, response(base, {"output": torch.tensor(numbers, dtype=torch.float64).to(dtype)}))

    expected = by(1.5, 3.0, 4.0)
    assert misfit(by(1.5, 3.0 * (1 + steps * eps), 4.0), expected) > eps
    assert misfit(settled(by(1.5, 3.0 * (1 + steps * eps), 4.0), expected), expected) == 0.0
    assert misfit(settled(by(1.5, 3.0 * (1 + 16 * eps), 4.0), expected), expected) > eps


def test_whole_numbers_have_no_rounding_and_what_is_unknown_is_not_settled() -> None:
    index = {"index": torch.tensor([3, 4])}
    found = in_units_of(index, response(index, {"index": torch.tensor([3, 5])}))
    assert found.rounding is not None
    assert not found.rounding.any()
    one = vector(1, 2)
    assert settled(one, vector(1, 3)) is one
    assert settled(one, Response(1.0, None, torch.ones(2))) is one


def test_a_misfit_is_a_share_of_the_response() -> None:
    assert misfit(vector(3, 4), vector(3, 4)) == 0.0
    assert misfit(vector(3, 4), vector(3, 0)) == pytest.approx(4 / 5)
    assert misfit(vector(3, 4), vector(0, 0)) == pytest.approx(1.0)


def test_a_scaled_misfit_allows_a_smaller_part_and_no_larger_one() -> None:
    assert misfit(vector(1, 2), vector(2, 4), scaled=True) == pytest.approx(0.0)
    assert misfit(vector(1, 2), vector(2, 4)) == pytest.approx(1.0)
    assert misfit(vector(2, 4), vector(1, 2), scaled=True) == misfit(vector(2, 4), vector(1, 2)) == pytest.approx(0.5)
    assert misfit(vector(1, 2), vector(-1, -2), scaled=True) == INFINITE
    assert misfit(vector(1, 2), vector(0, 0), scaled=True) == pytest.approx(1.0)


@pytest.mark.parametrize("other", [Response(1.0), vector(1, 2, 3), vector(0, 0)])
def test_what_cannot_be_compared_fits_nothing(other: Response) -> None:
    assert misfit(other, vector(1, 2)) == INFINITE


MANY = tuple(f"gain_{place}" for place in range(210))
PLACES = [(name, name) for name in MANY]


def product(x: torch.Tensor, *gains: torch.Tensor) -> torch.Tensor:
    """Each gain multiplies: with noise of their own size on all of them, the answer would vanish."""
    for gain in gains:
        x = x * gain
    return x


def one_unread(x: torch.Tensor, *gains: torch.Tensor) -> torch.Tensor:
    return product(x, *gains[:-2], gains[-2], gains[-2])


def of_gains(file: object) -> Responses:
    return responses(product, Holds(file, **weights(*MANY)), MANY)  # type: ignore[arg-type]


def test_one_dead_gain_of_many_shows_where_all_are_changed_at_once() -> None:
    assert of_gains(product).move_alike(PLACES)
    assert not of_gains(one_unread).move_alike(PLACES)


def test_an_answer_of_another_scale_says_nothing() -> None:
    def grown(x: torch.Tensor, one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        return x + (one.sum() - weights("a")["a"].sum()).abs() * 1e9 + other

    def unread(x: torch.Tensor, one: torch.Tensor, _other: torch.Tensor) -> torch.Tensor:
        return grown(x, one, weights("a")["a"])

    names = ("a", "b")
    asked = responses(grown, Holds(unread, **weights(*names)), names)
    assert not asked.move_alike([(name, name) for name in names])


def test_numbers_are_changed_again_where_no_answer_moves() -> None:
    """The choice between two experts: `a` decides, but only a large change of it does so."""

    def model(x: torch.Tensor, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return torch.where(a.sum() > limit, x + 1, x) * b

    asked = responses(model, Holds(model, **weights("a", "b")), ("a", "b"))
    limit = float(max(numbers_at(asked, attempt) for attempt in (0, 1, 2))) - 1e-3
    first = asked.numbers("a")
    assert asked.live_names("a", ("a", "b")) == ("a", "b")
    assert asked.numbers("a") is not first


def numbers_at(asked: Responses, attempt: int) -> float:
    """The sum of what `a` is changed to at this attempt; the first is the smallest for this seed."""
    asked._chosen["a"] = attempt
    found = asked.numbers("a")
    del asked._chosen["a"]
    assert found is not None
    return float(found.sum())


def test_the_first_numbers_stay_where_a_name_is_not_read_at_all() -> None:
    def model(x: torch.Tensor, a: torch.Tensor, _b: torch.Tensor) -> torch.Tensor:
        return x * a

    asked = responses(model, Holds(model, **weights("a", "b")), ("a", "b"))
    first = asked.numbers("a")
    assert asked.live_names("a", ("a", "b")) == ("a",)
    assert asked.numbers("a") is first


def test_a_change_is_carried_into_the_form_of_a_copy() -> None:
    def file(x: torch.Tensor, turned: torch.Tensor) -> torch.Tensor:
        return x * turned.reshape(7) / 3

    names = ("a",)
    turned = weights("a")["a"].reshape(7, 1, 1) * 3
    asked = responses(lambda x, a: x * a, Holds(file, turned=turned), names)
    copied = Copy("turned", names, "reshaped", Form(shape=(7, 1, 1), factor=3.0))
    assert misfit(asked.of_copy(copied), asked.of_names("a", names)) < 1e-6


ANSWER = {"output": torch.ones(2, 3)}


@pytest.mark.parametrize(
    ("one", "other", "gap"),
    [
        ((1, 1, 1, 1, 1, 1), (1, 1, 1, 1, 1, 1), 0.0),
        ((1, 1, 0, 1, 1, 0), (1, 1, 1, 1, 1, 1), 1.0),
        ((1, 1, 0, 1, 1, 1), (1, 1, 1, 1, 1, 1), 0.5**0.5),
        ((1, 1, 0, 1, 1, 0), (1, 1, 0.1, 1, 1, 0.1), 0.0),
        ((1, 1, 1, 1, 1), (1, 1, 1, 1, 1, 1), INFINITE),
    ],
)
def test_a_slice_that_does_not_move_as_the_model_does(
    one: tuple[float, ...], other: tuple[float, ...], gap: float
) -> None:
    assert worst_slice(vector(*one), vector(*other), ANSWER) == pytest.approx(gap)
