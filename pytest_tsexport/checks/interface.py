"""evidence -> verdict: are names, order, dtypes and ranks of inputs and outputs those that callers were promised?"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import replace

import torch
from torch import nn

from pytest_tsexport.checks.base import verdict
from pytest_tsexport.comparison.evidence import Evidence
from pytest_tsexport.config.baseline import BY_POSITION, DEFAULT, OPTIONAL, WHOLE, Baseline, InterfaceLines
from pytest_tsexport.config.interface_changes import changes, dicts_of, sorted_outputs
from pytest_tsexport.config.names import CHECKS
from pytest_tsexport.errors import ArtifactError
from pytest_tsexport.reports.numbers import counted
from pytest_tsexport.subjects.transformers.labels import labels_of
from pytest_tsexport.tensors.tree import flatten, structure
from pytest_tsexport.verdict import Outcome, Row, Verdict


class Interface:
    """Inputs and outputs of the file, arguments and labels of its model, against a baseline that a team commits.

    Sizes and weights are not part of it: which dimensions vary is what `shapes` asks.
    """

    name = "interface"
    question = CHECKS["interface"]

    def why_not_applicable(self, evidence: Evidence) -> str | None:
        """Every artifact has inputs and outputs."""
        return None

    def run(self, evidence: Evidence) -> Verdict:
        """Fails if the interface is not that of the baseline, and if there is no baseline: never green unlooked-at."""
        baseline = evidence.policy.options.baseline
        if baseline is None:
            sentence = f"there is no baseline to compare with; write one with --ts-baseline={DEFAULT} and commit it"
            return verdict(evidence, Outcome.FAILED, sentence)
        now = interface_of(evidence)
        was = baseline.read().get(evidence.subject.name, {}).get(evidence.backend)
        judge = _written if baseline.writes else _compared
        return replace(judge(evidence, baseline, was, now), interface=now, judged=1, planned=1)


def interface_of(evidence: Evidence) -> dict[str, list[str]]:
    """What callers of the model and of its file rely on, as lines of text by part; empty parts are left out.

    Raises `ArtifactError` if the file does not answer its own example inputs.
    """
    model, output = evidence.subject.model, _output(evidence)
    nodes = {name or WHOLE: kind for name, kind in structure(output).items()}
    nested = [f"{name}: {nodes[name]}" for name in sorted(nodes, key=lambda name: (name != WHOLE, name))]
    parts = {
        "forward": list(_arguments(model)),
        "keywords": sorted(_keywords(model)),
        "inputs": list(_inputs(evidence)),
        "outputs": sorted_outputs(list(_outputs(evidence, output)), dicts_of({"structure": nested})),
        "structure": nested,
        "labels": list(labels_of(model)),
    }
    return {part: lines for part, lines in parts.items() if lines}


def _arguments(model: nn.Module) -> Iterator[str]:
    """The positional arguments of `forward`."""
    for one in inspect.signature(model.forward).parameters.values():
        if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD):
            mark = BY_POSITION if one.kind == one.POSITIONAL_ONLY else ""
            yield one.name + mark + (OPTIONAL if one.default is not one.empty else "")


def _keywords(model: nn.Module) -> Iterator[str]:
    """What else `forward` takes: keyword-only arguments, which have no order, and any other ones."""
    for one in inspect.signature(model.forward).parameters.values():
        if one.kind == one.KEYWORD_ONLY:
            yield one.name + (OPTIONAL if one.default is not one.empty else "")
        elif one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD):
            yield "*args" if one.kind == one.VAR_POSITIONAL else "**kwargs"


def _inputs(evidence: Evidence) -> Iterator[str]:
    """What the file says about each argument, else what its example input shows."""
    given = evidence.runner.given_to(evidence.subject.inputs)
    for one in evidence.artifact.takes:
        example = given.get(one.name)
        kind = one.type
        if one.dtype is not None and one.shape is not None:
            kind = _kind(one.dtype, len(one.shape))
        elif isinstance(example, torch.Tensor):
            kind = _kind(example.dtype, example.dim())
        yield f"{one.name}: {kind}" + (OPTIONAL if one.optional else "")


def _output(evidence: Evidence) -> object:
    """The answer of the file to its example inputs, nested as in the file."""
    runner = evidence.runner
    try:
        output = runner.output(evidence.subject.inputs)
        flatten(output)
    except Exception as error:  # a file may raise anything; what it raises is the finding
        said = evidence.artifact.format.one_line(error)
        raise ArtifactError(
            f"the file raises on its own example inputs, so it has no interface to compare: {said}"
        ) from error
    return output


def _outputs(evidence: Evidence, output: object) -> Iterator[str]:
    """Each leaf by its place in the file's answer, with eager's name if the file has none."""
    leaves, named = flatten(output), evidence.subject.outputs
    if isinstance(output, Mapping) or set(named) == set(leaves) or len(named) != len(leaves):
        named = tuple(leaves)
    for (place, leaf), name in zip(leaves.items(), named, strict=True):
        yield f"{place if place == name else f'{place} = {name}'}: {_kind(leaf.dtype, leaf.dim())}"


def _kind(dtype: torch.dtype, rank: int) -> str:
    return f"{str(dtype).removeprefix('torch.')} of rank {rank}"


def _written(evidence: Evidence, baseline: Baseline, was: InterfaceLines | None, now: InterfaceLines) -> Verdict:
    """The entry is written at the end of the run, by the one process that receives every verdict."""
    broken = () if was is None else changes(was, now)
    if was is None:
        headline = f"written to {baseline.typed} for the first time"
    elif broken:
        headline = f"written to {baseline.typed} with {counted(len(broken), 'change')}"
    elif "structure" not in was:
        headline = f"as promised in {baseline.typed} already; written in more detail"
    else:
        headline = f"as promised in {baseline.typed} already"
    found = verdict(evidence, Outcome.PASSED, headline)
    return replace(found, notes=tuple(f"{place}: {text}" for place, text in broken))


def _compared(evidence: Evidence, baseline: Baseline, was: InterfaceLines | None, now: InterfaceLines) -> Verdict:
    if was is None:
        sentence = (
            f"{baseline.typed} promises nothing for this test on {evidence.backend}; "
            f"look at what it takes and gives, and add it with --ts-baseline={baseline.typed}"
        )
        return verdict(evidence, Outcome.FAILED, sentence)
    broken = changes(was, now)
    if not broken:
        return verdict(evidence, Outcome.PASSED, f"as promised in {baseline.typed}")
    fix: Row = ("fix", f"keep the promise in a wrapper, or tell callers and run with --ts-baseline={baseline.typed}")
    rows = (("promised in", baseline.typed), *broken, fix)
    return verdict(evidence, Outcome.FAILED, "not the interface that callers were promised", rows)
