"""marker -> policy: the keywords of all markers of one test, the closest first, and what the run asks for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from pytest_tsexport.config.keywords import KEYWORDS, from_keywords
from pytest_tsexport.config.policy import Policy
from pytest_tsexport.errors import PolicyError
from pytest_tsexport.plugin.settings import Settings

NAME = "torchscript"
MARKER = f"{NAME}(*, {', '.join(KEYWORDS)}): returns a model; each check of its TorchScript export is a test"


def marks_of(node: pytest.Item) -> tuple[pytest.Mark, ...]:
    """The markers of this item, the closest first: that of its parameter, then its function's, class's, module's."""
    found = list(node.iter_markers(NAME))
    ours = parameter_marks(node)
    # pytest lists the marks of a parameter behind those of its function, though they say more of this one item.
    return (*ours, *(mark for mark in found if not any(mark is own for own in ours)))


def parameter_marks(node: pytest.Item) -> tuple[pytest.Mark, ...]:
    """The markers inside `pytest.param(..., marks=...)`, which pytest shows only once the item is made."""
    callspec = getattr(node, "callspec", None)
    marks: Sequence[pytest.Mark] = callspec.marks if callspec else ()
    return tuple(mark for mark in marks if mark.name == NAME)


def is_bare(marks: Sequence[pytest.Mark]) -> bool:
    """Whether no marker says anything: the one kind that may be another project's label."""
    return not any(mark.args or mark.kwargs for mark in marks)


def keywords_of(marks: Sequence[pytest.Mark]) -> dict[str, Any]:
    """The keywords merged one by one, where the closest marker wins."""
    for mark in marks:
        if mark.args:
            raise PolicyError(f"takes keywords only, and got {mark.args[0]!r}; name the keyword, as in checks=[...]")
    return {name: value for mark in reversed(marks) for name, value in mark.kwargs.items()}


def policy_of(marks: Sequence[pytest.Mark], settings: Settings) -> Policy:
    """What the markers mean, and how hard the run looks: command line, else marker, else ini."""
    return with_settings(keywords_of(marks), settings)


def with_settings(keywords: dict[str, Any], settings: Settings) -> Policy:
    """The policy of these keywords in this run. Raises `PolicyError`, one sentence."""
    policy = from_keywords(keywords, tuple(settings.backends))
    return Policy(meaning=policy.meaning, effort=settings.command_line.over(policy.effort).over(settings.ini))


def checked_policy(node: pytest.Item, settings: Settings) -> Policy:
    """`policy_of` this item's markers, where a bad one is a collection error that names file and line."""
    try:
        return policy_of(marks_of(node), settings)
    except PolicyError as error:
        file, line, _ = node.location
        place = file if line is None else f"{file}:{line + 1}"
        text = f"{place}: {getattr(node, 'originalname', node.name)}: @pytest.mark.{NAME}: {error}"
    return pytest.fail(text, pytrace=False)
