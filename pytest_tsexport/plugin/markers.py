"""The markers of a test as a policy: their keywords merged, the closest first, with what the run asks for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from pytest_tsexport.config.keywords import from_keywords
from pytest_tsexport.config.marker import NAME
from pytest_tsexport.config.policy import Policy
from pytest_tsexport.errors import PolicyError
from pytest_tsexport.plugin.settings import Settings


def marks_of(node: pytest.Item) -> tuple[pytest.Mark, ...]:
    """The markers of this item, the closest first: of its parameter, then of its function, class and module."""
    found = list(node.iter_markers(NAME))
    own = parameter_marks(node)
    # pytest lists the marks of a parameter after those of its function, though they are closer to this item.
    return (*own, *(mark for mark in found if not any(mark is one for one in own)))


def parameter_marks(node: pytest.Item) -> tuple[pytest.Mark, ...]:
    """The markers inside `pytest.param(..., marks=...)`, which pytest shows only once the item is made."""
    callspec = getattr(node, "callspec", None)
    marks: Sequence[pytest.Mark] = callspec.marks if callspec else ()
    return tuple(mark for mark in marks if mark.name == NAME)


def is_bare(marks: Sequence[pytest.Mark]) -> bool:
    """Whether no marker has a keyword: other projects mark tests so, and mean something else."""
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
    return Policy(meaning=policy.meaning, options=settings.command_line.over(policy.options).over(settings.ini))


def checked_policy(node: pytest.Item, settings: Settings) -> Policy:
    """`policy_of` the markers of this item; a bad one is a collection error that names file and line."""
    try:
        return policy_of(marks_of(node), settings)
    except PolicyError as error:
        file, line, _ = node.location
        location = file if line is None else f"{file}:{line + 1}"
        text = f"{location}: {getattr(node, 'originalname', node.name)}: @pytest.mark.{NAME}: {error}"
    return pytest.fail(text, pytrace=False)
