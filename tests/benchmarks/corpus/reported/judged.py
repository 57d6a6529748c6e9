"""reports, seed -> trials: what torch alone says of each public report, and what the package says."""

from __future__ import annotations

import time
from collections.abc import Iterator

from pytest_tsexport.testing import judge_specimen
from tests.benchmarks.corpus.reported.answers import Reported, agree, answers
from tests.benchmarks.corpus.reported.right import reported_right
from tests.benchmarks.corpus.reported.wrong import reported_wrong
from tests.benchmarks.corpus.trials import CHECKS, Effort, Trial
from tests.benchmarks.corpus.truth import EQUIVALENT, RAISING, WRONG


def reported_trials(effort: Effort) -> Iterator[Trial]:
    """Every report, judged with this seed and number of cases."""
    for number, one in enumerate((*reported_wrong(), *reported_right())):
        yield _trial(number, one, effort)


def _trial(number: int, one: Reported, effort: Effort) -> Trial:
    eager, file = answers(one)
    kind = RAISING if file is None else EQUIVALENT if agree(eager, file) else WRONG
    hard = {} if effort.max_examples is None else {"max_examples": effort.max_examples}
    started = time.monotonic()
    verdicts = judge_specimen(one.specimen, seed=effort.seed, checks=list(CHECKS), **hard)
    return Trial(
        family="reported",
        number=number,
        seed=effort.seed,
        kind="report",
        mutation=f"{one.source} {one.specimen.title}",
        truth=kind,
        inputs=1,
        outcomes={name: verdict.outcome.value for name, verdict in verdicts.items()},
        headline="; ".join(verdict.headline for verdict in verdicts.values()),
        seconds=time.monotonic() - started,
    )
