"""Each row of an option or a keyword is complete: `--help`, the ini, the docs and the validation are made from it."""

from __future__ import annotations

import inspect
from itertools import pairwise
from pathlib import Path

import pytest

from pytest_tsexport.config import validators
from pytest_tsexport.config.baseline import Baseline
from pytest_tsexport.config.marker import KEYWORDS, MARKER, MEANING
from pytest_tsexport.config.names import selected
from pytest_tsexport.config.options import OPTIONS, RunOptions, plain
from pytest_tsexport.config.policy import Policy
from pytest_tsexport.config.validators import Given, validated
from pytest_tsexport.errors import PolicyError


def row_validators() -> set[str]:
    """The functions of `validators` that a row could name: those that take what was given."""
    functions = inspect.getmembers(validators, inspect.isfunction)
    return {name for name, one in functions if list(inspect.signature(one).parameters) == ["given"]}


def test_rows_name_all_validators_and_no_others() -> None:
    named = {row.valid for row in (*OPTIONS.values(), *KEYWORDS.values()) if isinstance(row.valid, str)}
    assert {name for name in named if ":" not in name} == row_validators()


def test_a_row_may_name_a_validator_of_another_module() -> None:
    given = Given(where="x", value="gone.toml", folder=Path("nowhere"))
    with pytest.raises(PolicyError, match="known failures"):
        validated(OPTIONS["known_failures"].valid, given)


def test_flags_and_ini_names_are_unique_and_twins() -> None:
    assert len({option.flag for option in OPTIONS.values()}) == len(OPTIONS)
    for option in OPTIONS.values():
        assert option.flag == "--" + option.ini.replace("_", "-")


def test_the_options_of_a_group_are_neighbours() -> None:
    groups = [option.group for option in OPTIONS.values()]
    changes = sum(one != other for one, other in pairwise(groups))
    assert changes == len(set(groups)) - 1


def test_a_list_is_repeated_on_the_command_line_and_takes_lines_in_the_ini() -> None:
    many = {name for name, option in OPTIONS.items() if option.many}
    assert many == {"models", "input_files", "architectures", "heads", "backends", "checks", "reports"}
    assert {name for name, option in OPTIONS.items() if option.on_command_line["action"] == "append"} == many
    assert {name for name, option in OPTIONS.items() if option.ini_type == "linelist"} == many


def test_whole_numbers_are_numbers_in_the_ini_and_all_else_is_text() -> None:
    assert {name for name, option in OPTIONS.items() if option.ini_type == "int"} == {"max_examples", "seed"}
    others = {"artifact", "neuron_args", "timeout", "budget", "baseline"}
    assert all(OPTIONS[name].ini_type == "string" for name in others)


def test_a_default_stands_behind_the_sentence_if_there_is_one() -> None:
    assert OPTIONS["budget"].help.endswith("nor the process of round_trip (default: 60)")
    assert OPTIONS["export_dir"].help == "keep the artifacts in this folder, under names that say what was found"


def test_a_failure_repeats_the_options_that_it_depends_on() -> None:
    repeated = [name for name, option in OPTIONS.items() if option.is_repeated]
    assert repeated == ["backends", "neuron_args", "timeout", "isolate", "max_examples", "budget"]


def test_only_the_baseline_is_looked_for_in_the_root_folder() -> None:
    assert {name: option.in_root for name, option in OPTIONS.items() if option.in_root} == {
        "baseline": "ts-baseline.json"
    }


@pytest.mark.parametrize("option", OPTIONS.values(), ids=lambda option: option.name)
def test_help_is_plain_text(option: object) -> None:
    text = getattr(option, "help")  # noqa: B009  # the ids need an untyped parameter
    assert text == text.strip()
    assert not set("`[]%") & set(text)


def test_markdown_becomes_plain() -> None:
    assert plain("all; `interface` only with [a `baseline`](../x.md#y)") == "all; interface only with a baseline"


def test_a_keyword_has_one_row() -> None:
    assert not set(MEANING) & {name for name, option in OPTIONS.items() if option.is_keyword}
    assert list(KEYWORDS) == [*MEANING, "backends", "neuron_args", "checks", "max_examples", "budget"]
    assert all(name in MARKER for name in KEYWORDS)


def test_stronger_options_win_and_weaker_ones_fill_in() -> None:
    strong, weak = RunOptions(max_examples=5), RunOptions(max_examples=9, budget=3.0)
    assert strong.over(weak) == RunOptions(max_examples=5, budget=3.0)


def test_a_search_has_a_minute_and_a_compiler_half_an_hour_unless_the_user_gives_another_time() -> None:
    assert (RunOptions().search_seconds, RunOptions().timeout_seconds) == (60.0, 1800.0)
    given = RunOptions(budget=3.0, timeout=5.0)
    assert (given.search_seconds, given.timeout_seconds) == (3.0, 5.0)
    assert (Policy(options=given).budget, Policy(options=given).timeout) == (3.0, 5.0)


def test_an_interface_is_compared_where_there_is_a_baseline() -> None:
    there = RunOptions(baseline=Baseline(Path("ts-baseline.json"), typed="ts-baseline.json"))
    assert Policy(options=there).opted_in == ("interface",)
    assert "interface" in Policy(options=there).checks
    assert Policy().opted_in == ()
    assert "interface" not in Policy().checks


def test_words_are_valid_or_refused_in_a_sentence() -> None:
    words = ("fail", "skip")
    assert validated(words, Given(where="--ts-on-unavailable", value="skip")) == "skip"
    with pytest.raises(PolicyError, match=r"^--ts-on-unavailable names 'pass'; use one of fail, skip$"):
        validated(words, Given(where="--ts-on-unavailable", value="pass"))


@pytest.mark.parametrize(("value", "is_valid"), [(3, True), (-3, True), (True, False), ("3", False), (3.0, False)])
def test_a_whole_number(value: object, *, is_valid: bool) -> None:
    given = Given(where="--ts-seed", value=value)
    if is_valid:
        assert validated("whole_number", given) == value
    else:
        with pytest.raises(PolicyError, match=r"; give a whole number$"):
            validated("whole_number", given)


def test_opt_in_checks_run_unnamed_only_if_offered() -> None:
    assert "interface" not in selected(None)
    assert "interface" in selected(None, opted_in=("interface",))
    assert selected(("-interface",), opted_in=("interface",)) == selected(None)
