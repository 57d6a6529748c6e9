"""A keyword is valid, or is refused in one sentence that names the value and what would be valid."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from pytest_tsexport.config.keywords import from_keywords
from pytest_tsexport.config.names import CHECKS
from pytest_tsexport.config.options import DEFAULT_BUDGET, RunOptions
from pytest_tsexport.config.policy import Policy
from pytest_tsexport.errors import PolicyError

NAMES = ", ".join(CHECKS)
DEFAULT_CHECKS = tuple(name for name in CHECKS if name != "interface")

BAD: list[tuple[Mapping[str, Any], str]] = [
    ({"example": 1}, "unknown keyword 'example'; use one of inputs, "),
    ({"seed": 1}, "unknown keyword 'seed'; use one of inputs, "),
    ({"checks": ["shape"]}, f"checks names 'shape'; use one of {NAMES}, or -name to leave one out"),
    ({"checks": "shape"}, f"checks names 'shape'; use one of {NAMES}, or -name to leave one out"),
    ({"checks": []}, f"checks is []; use one of {NAMES}"),
    ({"checks": 3}, f"checks is 3; use one of {NAMES}"),
    ({"checks": [f"-{name}" for name in CHECKS]}, "checks is ['-trace', "),
    ({"checks": ["trace", "-trace"]}, "checks is ['trace', '-trace'], which leaves no check to run"),
    ({"backends": "tpu"}, "backends names 'tpu'; use one of jit, neuron, neuron-sim"),
    ({"backends": []}, "backends is []; give one or a list of jit, neuron, neuron-sim"),
    ({"backends": {"jit"}}, "backends is {'jit'}; give one or a list of jit, neuron, neuron-sim"),
    ({"rtol": 1e-3}, "rtol is given without atol; give both, or neither"),
    ({"atol": 1e-3}, "atol is given without rtol; give both, or neither"),
    ({"rtol": -1, "atol": 0}, "rtol is -1; give a number, 0 or more, or a mapping of output names to numbers"),
    ({"rtol": 0, "atol": float("inf")}, "atol is inf; give a number, 0 or more"),
    ({"rtol": 0, "atol": float("nan")}, "atol is nan; give a number, 0 or more"),
    ({"rtol": True, "atol": 0}, "rtol is True; give a number, 0 or more"),
    ({"guard": "yes"}, "guard is 'yes'; give True or False"),
    (
        {"guard": True, "export": print},
        "guard and export are both given; guard that file where it is made: pytest_tsexport.guard",
    ),
    ({"guard": True, "artifact": "x.pt"}, "guard and artifact are both given; guard that file where it is made"),
    (
        {"guard": True, "shapes": {"batch": "dynamic"}},
        "guard raises at any other size, and shapes asks for 'dynamic'; give one of the two",
    ),
    (
        {"guard": True, "shapes": "dynamic"},
        "guard raises at any other size, and shapes asks for 'dynamic'; give one of the two",
    ),
    ({"metric": "mse"}, "metric is 'mse'; use one of close, argmax, cosine, or a mapping of output names to them"),
    ({"metric": {"logits": 3}}, "metric is 3; use one of close, argmax, cosine"),
    ({"rtol": "1e-3", "atol": 0}, "rtol is '1e-3'; give a number, 0 or more"),
    ({"rtol": {"logits": "x"}, "atol": 0}, "rtol is 'x'; give a number, 0 or more"),
    ({"shapes": "any"}, "shapes is 'any'; use one of dynamic, safe, fixed, or a mapping of axis names to them"),
    ({"shapes": {"batch": "any"}}, "shapes is 'any'; use one of dynamic, safe, fixed"),
    ({"shapes": 3}, "shapes is 3; use one of dynamic, safe, fixed"),
    ({"inputs": [1]}, "inputs is [1]; give a mapping of names"),
    ({"dynamic_shapes": ["batch"]}, "dynamic_shapes is ['batch']; give a mapping of names"),
    ({"strategies": "x"}, "strategies is 'x'; give a mapping of names"),
    ({"export": "export.py"}, "export is 'export.py'; give a callable (model, inputs, path) -> None"),
    ({"artifact": 3}, "artifact is 3; give the path of a TorchScript file"),
    ({"export": print, "artifact": "x.pt"}, "export and artifact are both given; give only one of them"),
    ({"examples": "x.safetensors"}, "examples is 'x.safetensors'; give a list"),
    ({"examples": {"ids": 1}}, "examples is {'ids': 1}; give a list"),
    ({"max_examples": 0}, "max_examples is 0; give a whole number of cases, 1 or more"),
    ({"max_examples": 1.5}, "max_examples is 1.5; give a whole number of cases, 1 or more"),
    ({"max_examples": True}, "max_examples is True; give a whole number of cases, 1 or more"),
    ({"budget": 0}, "budget is 0; give a number of seconds above 0"),
    ({"budget": -3.0}, "budget is -3.0; give a number of seconds above 0"),
    ({"budget": "soon"}, "budget is 'soon'; give a number of seconds above 0"),
    ({"budget": float("nan")}, "budget is nan; give a number of seconds above 0"),
    ({"budget": float("inf")}, "budget is inf; give a number of seconds above 0"),
    ({"neuron_args": 3}, "neuron_args is 3 (it is not a text); give compiler arguments, as '--auto-cast none'"),
    ({"neuron_args": ["-O", 3]}, "neuron_args is ['-O', 3] (it is not a text); give compiler arguments"),
    ({"neuron_args": "--x 'y"}, 'neuron_args is "--x \'y" (No closing quotation); give compiler arguments'),
    ({"xfail": "shapes"}, "xfail is 'shapes'; give a mapping of names"),
    ({"xfail": {"shape": "why"}}, f"xfail names 'shape'; use one of {NAMES}"),
    ({"xfail": {"shapes": ""}}, "xfail['shapes'] is ''; give the reason as text"),
    ({"xfail": {"shapes": True}}, "xfail['shapes'] is True; give the reason as text"),
]


@pytest.mark.parametrize(("keywords", "sentence"), BAD, ids=[sentence[:40] for _, sentence in BAD])
def test_a_bad_keyword_is_refused_in_a_sentence(keywords: Mapping[str, Any], sentence: str) -> None:
    with pytest.raises(PolicyError) as refusal:
        from_keywords(keywords)
    assert str(refusal.value).startswith(sentence)
    assert "\n" not in str(refusal.value)


def test_no_keyword_is_the_default() -> None:
    policy = from_keywords({})
    assert policy == Policy()
    assert (policy.backends, policy.checks, policy.budget) == (("jit",), DEFAULT_CHECKS, DEFAULT_BUDGET)


def test_none_means_not_given() -> None:
    assert from_keywords({"inputs": None, "rtol": None, "checks": None}) == Policy()


@pytest.mark.parametrize(
    ("checks", "run"),
    [
        ("shapes", ("shapes",)),
        (["parity", "trace"], ("trace", "parity")),
        (["-round_trip"], tuple(name for name in DEFAULT_CHECKS if name != "round_trip")),
        (["interface"], ("interface",)),
        (["-interface"], DEFAULT_CHECKS),
        (["trace", "parity", "-parity"], ("trace",)),
        (["trace", "trace"], ("trace",)),
    ],
)
def test_checks_run_in_their_order(checks: object, run: tuple[str, ...]) -> None:
    assert from_keywords({"checks": checks}).checks == run


def test_the_stronger_options_win_and_the_weaker_fill_in() -> None:
    strong, weak = RunOptions(max_examples=5), RunOptions(max_examples=9, budget=3.0)
    assert strong.over(weak) == RunOptions(max_examples=5, budget=3.0)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(3, 3.0), (0.5, 0.5), ("2.5", 2.5)],
)
def test_a_budget_may_be_text(value: object, seconds: float) -> None:
    assert from_keywords({"budget": value}).budget == seconds


@pytest.mark.parametrize(
    ("given", "arguments"),
    [
        ("--auto-cast none", ("--auto-cast", "none")),
        ("--x 'a b'", ("--x", "a b")),
        (["--auto-cast none", "-O1"], ("--auto-cast", "none", "-O1")),
        ((), ()),
    ],
)
def test_arguments_of_a_compiler_are_split_as_a_shell_would(given: object, arguments: tuple[str, ...]) -> None:
    assert from_keywords({"neuron_args": given}).options.neuron_args == arguments


@pytest.mark.parametrize("shapes", ["fixed", "safe", {"batch": "safe", "length": "fixed"}])
def test_behind_a_guard_sizes_may_raise(shapes: object) -> None:
    assert from_keywords({"guard": True, "shapes": shapes}).meaning.guard


def test_without_a_guard_every_contract_may_be_asked_for() -> None:
    assert from_keywords({"guard": False, "shapes": "dynamic", "export": print}).meaning.shapes == "dynamic"
