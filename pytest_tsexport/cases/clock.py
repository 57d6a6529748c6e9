"""seconds -> clock: how long a search may go on.

The budget is counted in CPU time of the thread that judges, so that a busy neighbour takes nothing from it. Where the
work is done elsewhere, on a device or in another process, only wall time says how long it took.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

Now = Callable[[], float]
"""Counts seconds from any moment: `time.thread_time` or `time.monotonic`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """The two times of one search, both from the moment when it started.

    Essential cases are judged whatever the `budget` is; only the `limit`, in wall time, ends them. Both are looked at
    between two cases: a case that hangs is not interrupted.
    """

    budget: float
    limit: float
    now: Now
    wall: Now
    started: float
    wall_started: float

    @classmethod
    def start(cls, *, budget: float, limit: float, now: Now = time.thread_time, wall: Now = time.monotonic) -> Clock:
        """A clock that runs from now on, in the thread that judges."""
        return cls(budget=budget, limit=limit, now=now, wall=wall, started=now(), wall_started=wall())

    @property
    def limit_left(self) -> float:
        """The seconds that are left for essential cases; negative once the time is over."""
        return self.wall_started + self.limit - self.wall()

    @property
    def left(self) -> float:
        """The seconds that are left for other cases: what the budget has, and never more than the limit has."""
        return min(self.started + self.budget - self.now(), self.limit_left)

    def allows(self, *, essential: bool) -> bool:
        """Whether there is time for one more case."""
        return (self.limit_left if essential else self.left) > 0
