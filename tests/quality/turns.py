"""Of many alike, `make test` takes one in a few and `make wide` takes the others."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TypeVar

import pytest

T = TypeVar("T")


def one_in(
    few: int, name: str, cases: Sequence[T], title: Callable[[T], str], always: Collection[str] = ()
) -> pytest.MarkDecorator:
    """Each case as the argument `name`. All but one in `few` are marked `wide`, and those that `always` run."""
    return pytest.mark.parametrize(
        name,
        [
            pytest.param(
                case,
                id=title(case),
                marks=() if number % few == 0 or title(case) in always else pytest.mark.wide,
            )
            for number, case in enumerate(cases)
        ],
    )
