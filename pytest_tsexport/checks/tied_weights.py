"""evidence -> verdict: is every tied weight cloned in the artifact?

Weights are tied if their byte ranges overlap. Ranges that do not overlap share no byte, so writing to one weight cannot
change another: no further proof is needed. (See docs/explanation/measurements.md#tied-weights.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch

from pytest_tsexport.checks.base import verdict
from pytest_tsexport.comparison.evidence import Evidence
from pytest_tsexport.config.names import CHECKS
from pytest_tsexport.subjects.reference import same_bits
from pytest_tsexport.tensors.named_tensors import named_weights
from pytest_tsexport.tensors.weights import TiedGroup, storages, tied_groups
from pytest_tsexport.verdict import Outcome, Row, Verdict

Weights = Mapping[str, torch.Tensor]

SHARED = "tied weights are still shared in the file"
MISSING = "a tied weight is missing from the file"
CHANGED = "a tied weight is not the model's in the file"
SIZE = "the file holds more or fewer bytes than its cloned weights"


@dataclass(frozen=True, slots=True)
class Failure:
    """What is wrong with one group: a headline, and what is in the file."""

    group: TiedGroup
    headline: str
    text: str


class TiedWeights:
    """Every group of weights that share memory in the source, looked up in a throw-away load of the file."""

    name = "tied_weights"
    question = CHECKS["tied_weights"]

    def why_not_applicable(self, evidence: Evidence) -> str | None:
        """Only if the source ties weights, and the file holds weights by name."""
        groups = tied_groups(named_weights(evidence.subject.model))
        if not groups:
            return "the model ties no weights"
        if all(_names(group, named_weights(evidence.artifact.load())) is None for group in groups):
            return "the artifact is frozen or packed: it holds no weights by name"
        return None

    def run(self, evidence: Evidence) -> Verdict:
        """Fails on the first group that is not one bit-equal, independent clone for each name."""
        groups = tied_groups(named_weights(evidence.subject.model))
        failures = [failure for group in groups for failure in [_failure(evidence, group)] if failure is not None]
        failures = failures or [failure for failure in [_wrong_size(evidence, groups)] if failure is not None]
        planned = len(groups)
        if failures:
            first = failures[0]
            fix: Row = ("fix", "clone every tied weight on a copy before tracing: pytest_tsexport.untie(model)")
            rows = (("tied", " = ".join(first.group.names)), ("in the file", first.text), fix)
            found = verdict(evidence, Outcome.FAILED, first.headline, rows)
            return replace(found, judged=planned, planned=planned)
        added = sum(group.bytes_added for group in groups)
        found = verdict(evidence, Outcome.PASSED, "every tied weight is cloned")
        notes = (*(" = ".join(group.names) for group in groups[:3]), f"{added} bytes added by the clones")
        return replace(found, judged=planned, planned=planned, notes=notes)


def _names(group: TiedGroup, weights: Weights) -> dict[str, str] | None:
    """The names that the members of a group have in the artifact, whatever wraps the model there."""
    first = group.names[0]
    prefixes = [key.removesuffix(first) for key in weights if key == first or key.endswith(f".{first}")]
    for prefix in prefixes:
        if all(prefix + name in weights for name in group.names):
            return {name: prefix + name for name in group.names}
    return None


def _failure(evidence: Evidence, group: TiedGroup) -> Failure | None:
    source = named_weights(evidence.subject.model)
    loaded = named_weights(evidence.artifact.load())
    names = _names(group, loaded)
    if names is None:
        missing = [name for name in group.names if not any(key.endswith(name) for key in loaded)]
        return Failure(group, MISSING, f"{', '.join(missing) or 'the group'} is not there by name")
    for name, key in names.items():
        if not same_bits(source[name].detach().cpu(), loaded[key].detach()):
            text = f"{key} is not bit-equal to the model's {name}{_gap(source[name], loaded[key])}"
            return Failure(group, CHANGED, text)
    tied = tied_groups({key: loaded[key] for key in names.values()})
    return Failure(group, SHARED, f"{' and '.join(tied[0].names)} share memory after loading") if tied else None


def _gap(ours: torch.Tensor, theirs: torch.Tensor) -> str:
    if ours.shape != theirs.shape or ours.dtype != theirs.dtype:
        return f": {tuple(theirs.shape)} {theirs.dtype}, not {tuple(ours.shape)} {ours.dtype}"
    differing = ours.detach().cpu().ne(theirs.detach())
    return f": {int(differing.sum())} of {differing.numel()} elements differ"


def _wrong_size(evidence: Evidence, groups: tuple[TiedGroup, ...]) -> Failure | None:
    """The archive must hold the bytes of the shared storages once, and those of the clones in addition."""
    source = named_weights(evidence.subject.model)
    loaded = named_weights(evidence.artifact.load())
    if len(loaded) != len(source):
        return None
    once = sum(size for _, size in storages(source))
    added = sum(group.bytes_added for group in groups)
    found = evidence.artifact.weight_bytes - once
    if found == added:
        return None
    return Failure(groups[0], SIZE, f"{found} bytes are added to the archive's weights; the clones have {added}")
