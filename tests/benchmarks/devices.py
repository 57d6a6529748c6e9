"""specimens -> lines: what is found and wrongly accused where models, inputs and files are on an accelerator.

`python -m tests.benchmarks.devices cuda --jobs 8` judges every specimen that runs there, once. Its kernels are others
than those of the CPU: they fuse, and they add up in another order. It exits with 1 where a verdict was wrong.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import torch

from pytest_tsexport.errors import ArtifactError, InputsError
from pytest_tsexport.reports.grouping import ENDED
from pytest_tsexport.testing import Specimen, judge_specimen
from pytest_tsexport.verdict import Outcome
from tests.benchmarks.runs import CHECKS, is_wrong, specimens


@dataclass(frozen=True, slots=True, kw_only=True)
class OnDevice:
    """What came out for one specimen: `said` is `right`, `missed`, `accused`, or `not portable` with the reason."""

    title: str
    wrong: bool
    said: str
    why: str = ""


def judged(device: str, title: str) -> OnDevice:
    """One specimen, judged on that device with 40 cases a check."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    specimen = specimens()[title]
    try:
        verdicts = judge_specimen(specimen, device=device, checks=CHECKS, max_examples=40)
    except ArtifactError as error:
        return _came(specimen, "right" if specimen.refused else "accused", str(error))
    except InputsError as error:  # a table that is no buffer stays on the CPU: this model cannot run on a device
        return _came(specimen, "not portable", str(error))
    failed = {name for name, one in verdicts.items() if one.outcome is Outcome.FAILED}
    ended = [f"{name}: {one.headline}" for name, one in verdicts.items() if one.outcome in ENDED]
    rows = [f"{name}: {dict(verdicts[name].rows).get('differs', verdicts[name].headline)}" for name in sorted(failed)]
    why = "; ".join([*ended, *rows]) or "nothing failed"
    if not set(specimen.fails) <= failed:
        return _came(specimen, "missed", why)
    return _came(specimen, "accused" if ended or not failed <= {*specimen.fails, *specimen.also} else "right", why)


def _came(specimen: Specimen, said: str, why: str) -> OnDevice:
    return OnDevice(title=specimen.title, wrong=is_wrong(specimen), said=said, why=why)


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge, print what was not right, and count."""
    parser = argparse.ArgumentParser(description="The specimens on an accelerator.")
    parser.add_argument("device", help="a device of torch: cuda, mps, xpu")
    parser.add_argument("--jobs", type=int, default=1, help="processes (1)")
    parser.add_argument("--only", nargs="*", default=(), help="titles of specimens")
    given = parser.parse_args(arguments)
    counts: dict[tuple[bool, str], int] = {}
    with multiprocessing.get_context("spawn").Pool(given.jobs) as pool:
        for one in pool.imap_unordered(partial(judged, given.device), given.only or tuple(specimens())):
            counts[one.wrong, one.said] = counts.get((one.wrong, one.said), 0) + 1
            if one.said != "right":
                _say(f"{one.title} ({'wrong' if one.wrong else 'right'} one) {one.said}: {one.why}")
    for (is_fault, said), count in sorted(counts.items()):
        _say(f"{'wrong' if is_fault else 'right'} ones, {said}: {count}")
    return int(any(said in ("missed", "accused") for _, said in counts))


def _say(line: str) -> None:
    sys.stdout.write(f"{line[:300]}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
