"""How far a config is shrunk: a ladder of levels, of which the first that builds is taken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Widths = Literal["one", "ratio", "kept"]


@dataclass(frozen=True, slots=True)
class Level:
    """One step of the ladder.

    `widths` says what becomes of hidden sizes: `one` gives all of them the same size, `ratio` divides each by eight and
    keeps the number of heads, `kept` leaves them. `each_kind` is the number of layers of each kind that are kept.
    """

    widths: Widths
    each_kind: int = 1


LADDER = (Level("one"), Level("one", each_kind=2), Level("ratio"), Level("ratio", each_kind=2), Level("kept"))
