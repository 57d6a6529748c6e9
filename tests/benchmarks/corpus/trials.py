"""family, number -> trial: one mutated file, the truth about it, and what the package says of it."""

from __future__ import annotations

import tempfile
import time
import warnings
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from random import Random

import torch
from torch import nn

from pytest_tsexport.config.keywords import from_keywords
from pytest_tsexport.errors import TsExportError
from pytest_tsexport.pipeline import export
from pytest_tsexport.testing import judge
from pytest_tsexport.verdict import Outcome, Verdict
from tests.benchmarks.corpus import graphs
from tests.benchmarks.corpus.family import Family
from tests.benchmarks.corpus.graphs import opened, whole_numbers
from tests.benchmarks.corpus.mutations import Mutation, apply, drawn
from tests.benchmarks.corpus.plain_inputs import example
from tests.benchmarks.corpus.truth import EQUIVALENT, RAISING, WRONG, Eager, run, truth_about

CHECKS = ("parity", "shapes")
ATTEMPTS = 200
"""Mutations drawn for one trial, before the family is taken to have no other: a small module has a dozen in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One mutated file: what was changed, what it is, and the outcome of each check.

    `redrawn` mutations before it did not run at the traced size, could not be saved, changed nothing, or had been drawn
    already.
    """

    family: str
    number: int
    seed: int
    kind: str
    mutation: str
    truth: str
    inputs: int
    shown: str = ""
    sizes: Mapping[str, int] = field(default_factory=dict)
    ratio: float = 0.0
    outcomes: Mapping[str, str] = field(default_factory=dict)
    headline: str = ""
    redrawn: int = 0
    seconds: float = 0.0
    truth_seconds: float = 0.0

    @property
    def failed(self) -> bool:
        """Whether a check says that the file is wrong."""
        return Outcome.FAILED.value in self.outcomes.values()

    @property
    def found(self) -> bool:
        """Whether it is wrong, and a check says so."""
        return self.truth == WRONG and self.failed

    @property
    def missed(self) -> bool:
        """Whether it is wrong, and no check says so."""
        return self.truth == WRONG and not self.failed

    @property
    def accused(self) -> bool:
        """Whether it does what eager does wherever it answers, and a check calls it wrong."""
        return self.truth in {EQUIVALENT, RAISING} and self.failed


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How hard the truth and the package look. `max_examples` is None for hypothesis' own."""

    seed: int = 0
    inputs: int = 2000
    max_examples: int | None = None


@dataclass(frozen=True, slots=True)
class Mutated:
    """One mutated file, and how many mutations were drawn before it that are none."""

    number: int
    mutation: Mutation
    path: Path
    redrawn: int


class Subject:
    """A family with its right file, of which mutated ones are made in a folder.

    Raises `RuntimeError` if the right file differs from eager by a single bit wherever it is asked.
    """

    def __init__(self, family: Family, folder: Path) -> None:
        self.family, self.folder = family, folder
        self.model: nn.Module = family.model()
        self.example = example(family.plan)
        self.right = folder / f"{family.name}.pt"
        constants = _export(self.model, self.example, self.right)
        names = [one.name for one in graphs.loaded(self.right).forward.schema.arguments[1:]]
        self.numbers = whole_numbers(self.right, [self.example[name] for name in names])
        self.eager = Eager(family.name, self.model, constants, family.plan, self.right)
        if not any(self.eager.answer(number) for number in range(4)):
            raise RuntimeError(f"the right file of {family.name} is not equal to eager, so nothing can be proved by it")

    def mutated(self, seed: int) -> Iterator[Mutated]:
        """Files with one change each, no two alike. It ends when no other change is found in so many attempts."""
        random = Random(zlib.crc32(f"{self.family.name}:{seed}".encode()))
        seen: set[str] = set()
        attempts = number = 0
        file = opened(self.right)
        while attempts < ATTEMPTS:
            mutation = drawn(file, self.numbers, random)
            attempts += 1
            if mutation.text in seen:
                continue
            seen.add(mutation.text)
            path = self.folder / f"{self.family.name}-{number}.pt"
            if _written(file, mutation, path) and self._runs(path):
                yield Mutated(number, mutation, path, attempts - 1)
                number, attempts = number + 1, 0
            file = opened(self.right)

    def _runs(self, path: Path) -> bool:
        try:
            run(graphs.loaded(path), self.example)
        except Exception:  # a mutated graph may raise anything that its operators raise
            return False
        return True


def trial(subject: Subject, one: Mutated, effort: Effort) -> Trial:
    """One mutated file, judged twice: by the plain generator, and by the package."""
    started = time.monotonic()
    truth = truth_about(subject.eager, one.path, effort.inputs)
    asked = time.monotonic()
    verdicts, stopped = _verdicts(subject, one.path, effort)
    ended = time.monotonic()
    return Trial(
        family=subject.family.name,
        number=one.number,
        seed=effort.seed,
        kind=one.mutation.kind,
        mutation=one.mutation.text,
        truth=truth.kind,
        inputs=truth.inputs,
        shown=truth.shown,
        sizes=dict(truth.sizes),
        ratio=truth.ratio,
        outcomes={name: one.outcome.value for name, one in verdicts.items()} or {"all": stopped},
        headline=stopped or _headline(verdicts),
        redrawn=one.redrawn,
        seconds=ended - asked,
        truth_seconds=asked - started,
    )


def trials(family: Family, numbers: Sequence[int], effort: Effort) -> Iterator[Trial]:
    """The trials of one family, one after the other: fewer if it has fewer mutations."""
    prepare()
    with tempfile.TemporaryDirectory(prefix="corpus-") as folder:
        subject = Subject(family, Path(folder))
        for one in islice(subject.mutated(effort.seed), max(numbers) + 1):
            if one.number in numbers:
                yield trial(subject, one, effort)
            one.path.unlink()


def prepare() -> None:
    """A process as the benchmark wants it: one thread, and no word about what is mutated on purpose."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")


def _export(model: nn.Module, inputs: Mapping[str, torch.Tensor], path: Path) -> Mapping[str, object]:
    """Write the right file by the jit backend; what else eager is given (`use_cache=False`)."""
    made = export(model, from_keywords({"inputs": inputs}), name=type(model).__name__)
    try:
        path.write_bytes(made.path.read_bytes())
        return made.subject.constants
    finally:
        made.close()


def _written(file: graphs.Opened, mutation: Mutation, path: Path) -> bool:
    """Whether the mutated file could be saved, and holds something else than the right one."""
    before = file.module.code
    try:
        apply(file, mutation)
        graphs.save(file.module, path)
    except Exception:  # torch refuses a graph that makes no sense, by errors of many classes
        return False
    return mutation.kind == "weight" or bool(file.module.code != before)


def _verdicts(subject: Subject, path: Path, effort: Effort) -> tuple[Mapping[str, Verdict], str]:
    hard = {} if effort.max_examples is None else {"max_examples": effort.max_examples}
    try:
        found = judge(subject.model, subject.example, artifact=path, checks=list(CHECKS), seed=effort.seed, **hard)
    except TsExportError as error:
        return {}, f"refused: {error}"
    except Exception as error:  # the package must not raise: it is reported with the rest, and the run goes on
        return {}, f"raised {type(error).__name__}: {error}"
    return found, ""


def _headline(verdicts: Mapping[str, Verdict]) -> str:
    failed = [one for one in verdicts.values() if one.outcome is Outcome.FAILED]
    return failed[0].headline if failed else next(iter(verdicts.values())).headline
