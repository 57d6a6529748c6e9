"""Proves for which names a tensor of the file stands, by what changing it does to the answers."""

from __future__ import annotations

import pytest
import torch

from pytest_tsexport.comparison.tied.file_values import Copy
from pytest_tsexport.comparison.tied.readers import Reader, reader, unmatched
from tests.comparison.tied.modules import Formula, Holds, responses, weights

A, B, C = "a", "b", "c"
THREE = (A, B, C)


def model(x: torch.Tensor, a: torch.Tensor, b: torch.Tensor, c: torch.Tensor) -> torch.Tensor:
    """Three names with three effects."""
    return ((x * a).tanh() * b).sin() + c.cumsum(0) / 7


def read(formula: Formula, *keys: str, names: tuple[str, ...] = THREE, whole: Formula = model) -> dict[str, Reader]:
    """What each tensor of a file of this formula stands for."""
    asked = responses(whole, Holds(formula, **weights(*keys)), names)
    live = tuple(name for name in names if asked.of_names(names[0], (name,)).is_live)
    return {key: reader(Copy(key, names, "equal"), live, asked) for key in keys}


def test_each_clone_stands_for_one_name() -> None:
    found = read(model, "first", "second", "third")
    assert {key: one.names for key, one in found.items()} == {"first": (A,), "second": (B,), "third": (C,)}
    assert all(one.is_live and not one.together for one in found.values())


@pytest.mark.parametrize("together", [(A, B), (A, C), (B, C)])
def test_a_tensor_that_is_used_for_two_of_three_names_stands_for_both(together: tuple[str, ...]) -> None:
    def file(x: torch.Tensor, shared: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        return model(x, *(shared if name in together else other for name in THREE))

    found = read(file, "shared", "other")
    assert found["shared"].together == together
    assert found["other"].names == tuple(name for name in THREE if name not in together)


def test_a_tensor_that_is_used_for_all_names_stands_for_all() -> None:
    assert read(lambda x, one: model(x, one, one, one), "one")["one"].together == THREE


MANY = ("a", "b", "c", "d", "e", "f", "g")


def of_many(x: torch.Tensor, *weights: torch.Tensor) -> torch.Tensor:
    for place, weight in enumerate(weights):
        x = (x * weight.roll(place) + place).sin()
    return x


@pytest.mark.parametrize("together", [("a", "b"), ("b", "g"), ("c", "d", "f"), ("a", "b", "c", "e", "f", "g")])
def test_some_of_many_names_are_found_together(together: tuple[str, ...]) -> None:
    def file(x: torch.Tensor, shared: torch.Tensor, *others: torch.Tensor) -> torch.Tensor:
        rest = iter(others)
        return of_many(x, *(shared if name in together else next(rest) for name in MANY))

    keys = [f"other_{number}" for number in range(len(MANY) - len(together))]
    found = read(file, "shared", *keys, names=MANY, whole=of_many)
    assert found["shared"].together == together
    assert sorted(one.names[0] for key, one in found.items() if key != "shared") == sorted(set(MANY) - set(together))


def test_a_tensor_that_nothing_reads_is_dead() -> None:
    found = read(lambda x, one, spare: model(x, one, one, one), "one", "spare")
    assert not found["spare"].is_live
    assert not found["spare"].names


def test_a_name_that_the_model_does_not_read_cannot_be_shared() -> None:
    def reads_two(x: torch.Tensor, a: torch.Tensor, b: torch.Tensor, _c: torch.Tensor) -> torch.Tensor:
        return (x * a).tanh() * b

    found = read(lambda x, one, two: (x * one).tanh() * two, "one", "two", whole=reads_two)
    assert [one.names for one in found.values()] == [(A,), (B,)]


@pytest.mark.parametrize("share", [0.5, 0.1, 0.9])
def test_the_member_of_an_ensemble_is_recognised_by_its_part(share: float) -> None:
    fixed = weights("a")["a"]

    def mean(x: torch.Tensor, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        return share * model(x, first, first, second) + (1 - share) * model(x, fixed, fixed, fixed)

    found = read(mean, "first", "second")
    assert found["first"].together == (A, B)
    assert found["second"].names == (C,)


def test_where_nothing_fits_nothing_is_concluded() -> None:
    found = read(lambda x, one: (x * one).exp() + one.flip(0) ** 3, "one")
    assert found["one"] == Reader(Copy("one", THREE, "equal"), is_live=True)


def test_small_differences_of_a_coarser_type_do_not_matter() -> None:
    def coarse(x: torch.Tensor, a: torch.Tensor, b: torch.Tensor, c: torch.Tensor) -> torch.Tensor:
        return model(x, a.bfloat16().float(), b.bfloat16().float(), c.bfloat16().float())

    found = read(coarse, "first", "second", "third")
    assert [one.names for one in found.values()] == [(A,), (B,), (C,)]
    both = read(lambda x, one, two: coarse(x, one, one, two), "one", "two")
    assert both["one"].together == (A, B)


def test_two_names_with_one_effect_may_be_either() -> None:
    def twice(x: torch.Tensor, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return x + a + b

    found = read(twice, "first", "second", names=(A, B), whole=twice)
    assert [one.names for one in found.values()] == [(A, B), (A, B)]
    assert unmatched((A, B), list(found.values())) == ()
    one = read(lambda x, both: x + both + both, "both", names=(A, B), whole=twice)
    assert one["both"].together == (A, B)


def test_where_a_call_raises_the_tensor_is_live_and_says_no_more() -> None:
    def picky(x: torch.Tensor, one: torch.Tensor) -> torch.Tensor:
        if not torch.equal(one, weights("a")["a"]):
            raise ValueError("not these")
        return model(x, one, one, one)

    assert read(picky, "one")["one"] == Reader(Copy("one", THREE, "equal"), is_live=True)


def living(key: str, *names: str, stands: tuple[str, ...] = THREE) -> Reader:
    return Reader(Copy(key, stands, "equal"), is_live=True, names=names)


def test_a_name_is_unmatched_if_no_living_copy_is_left_for_it() -> None:
    dead = Reader(Copy("dead", THREE, "equal"), is_live=False)
    assert unmatched(THREE, [living("one", A), living("two", B), dead]) == (C,)
    assert unmatched(THREE, [living("one", A), living("two", A), living("three", C)]) == (B,)
    assert unmatched((), [living("one", A)]) == ()


def test_a_copy_that_may_be_either_makes_room_for_one_that_may_not() -> None:
    assert unmatched((A, B), [living("one", A, B), living("two", A)]) == ()
    assert unmatched(THREE, [living("one", A, B), living("two", B, C), living("three", A)]) == ()


def test_a_copy_of_which_nothing_is_known_stands_for_any_name_of_its_value() -> None:
    assert unmatched((A, B), [living("one", A), living("two")]) == ()
    assert unmatched((A, B), [living("one", A), living("two", stands=(A,))]) == (B,)
