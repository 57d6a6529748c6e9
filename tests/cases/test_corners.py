"""Proves that axes are moved together: near, far, at the user's maxima and at numbers of the code, within a bound."""

from __future__ import annotations

from dataclasses import replace

from pytest_tsexport.cases.case import off_size
from pytest_tsexport.cases.corners import AFFORDABLE, corner_cases, essential_corner, exchanged_cases
from pytest_tsexport.cases.essential import essential_off_size
from pytest_tsexport.cases.listed import edge_cases
from pytest_tsexport.subjects.fields import Axis
from pytest_tsexport.subjects.subject import Subject
from tests.cases.small_subjects import BATCH, BOTH, LENGTH, subject

HEIGHT, WIDTH = (Axis(name=name, size=8) for name in ("height", "width"))


def bounded(name: str, size: int, high: int, low: int = 1) -> Axis:
    return Axis(name=name, size=size, low=low, high=high, named=True)


def together(one: Subject) -> list[tuple[int, ...]]:
    """The sizes of the listed cases in which several axes move."""
    return [tuple(size for _, size in case.sizes) for case in edge_cases(one) if len(off_size(case, one)) > 1]


def test_all_axes_move_near_the_traced_sizes_and_far_from_them() -> None:
    assert together(BOTH) == [(1, 1), (1, 6), (3, 8), (5, 15), (8, 33), (33, 65)]


def test_all_axes_stay_within_the_bounds_that_the_user_declared() -> None:
    one = subject(bounded("batch", 2, 3), bounded("length", 7, 12, low=5))
    assert together(one) == [(1, 5), (1, 6), (3, 8), (3, 12)]


def test_a_maximum_that_only_the_model_declares_is_exceeded() -> None:
    assert (5, 15) in together(subject(BATCH, Axis(name="length", size=7, high=12)))


def test_all_axes_meet_at_the_maxima_that_the_user_declared() -> None:
    assert together(subject(bounded("batch", 2, 32), bounded("length", 10, 512)))[-1] == (32, 512)


def test_larger_maxima_are_approached_as_far_as_a_machine_can_hold() -> None:
    one = subject(bounded("batch", 2, 4096), bounded("length", 10, 65536))
    batch, length = together(one)[-1]
    assert batch > 33
    assert length > 513
    assert batch * length <= AFFORDABLE


def test_height_and_width_move_without_the_batch_too() -> None:
    sizes = together(subject(BATCH, HEIGHT, WIDTH))
    assert (2, 65, 65) in sizes
    assert (33, 65, 65) not in sizes  # too large for an image model


def test_all_axes_go_just_above_each_number_and_each_edge() -> None:
    one = replace(subject(BATCH, replace(LENGTH, edges=(40,))), code_numbers=(25,))
    assert {(26, 26), (41, 41)} <= set(together(one))


def test_two_axes_meet_every_pair_of_numbers() -> None:
    one = replace(subject(HEIGHT, WIDTH), code_numbers=(24, 32))
    assert {(24, 24), (24, 32), (32, 24), (32, 32)} <= set(together(one))


def test_the_batch_and_a_length_meet_no_pair_of_numbers() -> None:
    one = replace(BOTH, code_numbers=(24, 40))
    assert {(25, 25), (41, 41)} <= set(together(one))
    assert {(24, 40), (40, 24)}.isdisjoint(together(one))


def test_two_large_numbers_are_not_visited_together() -> None:
    assert max(map(max, together(replace(subject(HEIGHT, WIDTH), code_numbers=(1000, 3000))))) == 65


def test_one_axis_has_no_corner() -> None:
    assert not list(corner_cases(subject(LENGTH), (24,)))
    assert essential_corner(subject(LENGTH)) is None


def test_the_corner_of_the_maxima_is_essential_if_it_is_affordable() -> None:
    small = subject(bounded("height", 8, 64), bounded("width", 8, 64))
    assert [one.sizes for one in essential_off_size(small, list(edge_cases(small)))][-1] == (
        ("height", 64),
        ("width", 64),
    )
    large = subject(bounded("batch", 2, 32), bounded("length", 10, 512))
    assert essential_corner(large) is None


def test_two_axes_are_exchanged_or_moved_so_that_their_product_stays() -> None:
    one = subject(BATCH, Axis(name="length", size=6))
    assert {tuple(size for _, size in case.sizes) for case in exchanged_cases(one)} == {(6, 2), (1, 12), (4, 3)}
    assert {case.sizes for case in exchanged_cases(subject(HEIGHT, WIDTH))} == {
        (("height", 4), ("width", 16)),
        (("height", 16), ("width", 4)),
    }


def test_they_keep_to_the_bounds_of_the_user_and_one_axis_has_no_other() -> None:
    assert not list(exchanged_cases(subject(bounded("height", 4, 5, low=4), bounded("width", 6, 6, low=6))))
    assert not list(exchanged_cases(subject(LENGTH)))
