"""Proves that the parts of the budget have one owner and never add up to more than the whole."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import pytest_tsexport
from pytest_tsexport.config.budget import ROUND_TRIP_SECONDS, SHARES, TIE_BREAKS, search_seconds, tie_break_seconds
from pytest_tsexport.config.names import CHECKS

ROOM = Path(pytest_tsexport.__file__).parent / "checks"


def test_the_shares_are_of_checks_and_add_up_to_the_whole_at_most() -> None:
    assert set(SHARES) <= set(CHECKS)
    assert all(share > 0 for share in SHARES.values())
    assert sum(SHARES.values()) <= 1.0


def test_tie_breaks_are_paid_from_the_share_of_the_check_that_meets_them() -> None:
    assert 0 < TIE_BREAKS < 1
    for check in SHARES:
        assert tie_break_seconds(check, 60.0) == pytest.approx(TIE_BREAKS * search_seconds(check, 60.0))


def test_a_check_that_does_not_search_has_nothing_to_spend() -> None:
    assert tie_break_seconds("trace", 60.0) == 0.0
    with pytest.raises(KeyError):
        search_seconds("trace", 60.0)


def test_no_check_has_less_than_the_part_that_its_verdict_needs_at_the_default_budget() -> None:
    seconds = {check: search_seconds(check, 60.0) for check in SHARES}
    assert seconds == {"parity": 21.0, "shapes": 30.0, "padding": 9.0}
    assert tie_break_seconds("parity", 60.0) >= 12.0
    assert tie_break_seconds("shapes", 60.0) >= 12.0


def test_the_process_of_round_trip_has_five_minutes_whatever_the_budget_is() -> None:
    assert ROUND_TRIP_SECONDS == 5 * 60


def test_every_check_that_searches_asks_for_its_share_and_no_other_does() -> None:
    asking = {path.stem for path in ROOM.glob("*.py") if _asks_for_a_clock(path)}
    assert asking == set(SHARES)


def _asks_for_a_clock(path: Path) -> bool:
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return any(isinstance(node, ast.Call) and _name(node.func) == "clock" and not node.args for node in nodes)


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else ""
