"""Which architectures a run of the validation suite takes: model types, and the heads of each, by name or pattern."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from pytest_tsexport.config.options import RunOptions
from pytest_tsexport.config.validators import Given
from pytest_tsexport.errors import PolicyError
from pytest_tsexport.suite.model_types import list_heads, list_model_types

ALL = "all"
FOR = "For"
MOST_NEAR = 3


@dataclass(frozen=True, slots=True)
class Architecture:
    """A model type of Transformers; without a head, the bare model."""

    model_type: str
    head: str | None = None

    @property
    def name(self) -> str:
        """`bert`, or `bert-ForMaskedLM`: the parameter of a test id, and the subject of a known failure."""
        return self.model_type if self.head is None else f"{self.model_type}-{FOR}{self.head}"

    @property
    def selected_by(self) -> list[str]:
        """The options that select it; with a head, they select the bare model too."""
        return [f"--ts-architectures={self.model_type}", *([f"--ts-heads={FOR}{self.head}"] if self.head else [])]


def architectures(given: Given) -> tuple[str, ...]:
    """Names or patterns of model types that the installed Transformers has. Raises `PolicyError`, one sentence."""
    return _each_known(given, list_model_types(), "model type")


def heads(given: Given) -> tuple[str, ...]:
    """Names or patterns of heads that some model type has, or `all`. Raises `PolicyError`, one sentence."""
    there = {f"{FOR}{head}" for model_type in list_model_types() for head in list_heads(model_type)}
    return _each_known(given, [ALL, *sorted(there)], "head")


def selected(options: RunOptions) -> tuple[Architecture, ...]:
    """The bare model of each model type that the options name, followed by the heads of it that they name."""
    types = _matching(list_model_types(), options.architectures or ("*",))
    return tuple(
        Architecture(model_type, head) for model_type in types for head in (None, *_heads_of(model_type, options))
    )


def _heads_of(model_type: str, options: RunOptions) -> Iterable[str]:
    patterns = ["*" if pattern == ALL else pattern for pattern in options.heads or ()]
    return (name.removeprefix(FOR) for name in _matching([f"{FOR}{h}" for h in list_heads(model_type)], patterns))


def _matching(names: Iterable[str], patterns: Sequence[str]) -> list[str]:
    return [name for name in names if any(fnmatchcase(name, pattern) for pattern in patterns)]


def _each_known(given: Given, names: Sequence[str], what: str) -> tuple[str, ...]:
    for pattern in given.value:
        if not _matching(names, [pattern]):
            near = difflib.get_close_matches(pattern, names, MOST_NEAR)
            advice = f"use {' or '.join(map(repr, near))}" if near else f"give the name of a {what} or a pattern"
            raise PolicyError(f"{given.where} names {pattern!r}, and no {what} of {_transformers()} matches; {advice}")
    return tuple(dict.fromkeys(given.value))


def _transformers() -> str:
    from importlib.metadata import version

    return f"Transformers {version('transformers')}"
