"""evidence -> verdict: is every tied weight a copy of its own in the artifact?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch

from pytest_tsexport.checks.base import verdict
from pytest_tsexport.comparison.evidence import Evidence
from pytest_tsexport.config.policy import CHECKS
from pytest_tsexport.subjects.reference import same_bits
from pytest_tsexport.tensors.weights import TiedGroup, named_weights, storages, tied_groups
from pytest_tsexport.verdict import Outcome, Row, Verdict

Weights = Mapping[str, torch.Tensor]


class TiedWeights:
    """Every group of weights that share memory in the source, looked up in a throw-away load of the file."""

    name = "tied_weights"
    question = CHECKS["tied_weights"]

    def why_not_applicable(self, evidence: Evidence) -> str | None:
        """Only where the source ties weights, and the file still has weights by name."""
        groups = tied_groups(named_weights(evidence.subject.model))
        if not groups:
            return "the model ties no weights"
        if all(_names(group, named_weights(evidence.artifact.load())) is None for group in groups):
            return "the artifact is frozen or packed: it holds no weights by name"
        return None

    def run(self, evidence: Evidence) -> Verdict:
        """Fails on the first group that is not one copy a name, bit-equal and independent."""
        groups = tied_groups(named_weights(evidence.subject.model))
        failures = [failure for group in groups for failure in [_failure(evidence, group)] if failure is not None]
        failures = failures or [failure for failure in [_wrong_size(evidence, groups)] if failure is not None]
        planned = len(groups)
        if failures:
            group, text = failures[0]
            fix: Row = ("fix", "clone every tied weight on a copy before tracing: pytest_tsexport.untie(model)")
            rows = (("tied", " = ".join(group.names)), ("in the file", text), fix)
            found = verdict(evidence, self.name, Outcome.FAILED, "tied weights are not copies of their own", rows)
            return replace(found, judged=planned, planned=planned)
        added = sum(group.bytes_added for group in groups)
        found = verdict(evidence, self.name, Outcome.PASSED, "every tied weight is a copy of its own")
        notes = (*(" = ".join(group.names) for group in groups[:3]), f"{added} bytes added by the copies")
        return replace(found, judged=planned, planned=planned, notes=notes)


def _names(group: TiedGroup, weights: Weights) -> dict[str, str] | None:
    """The names that the members of a group have in the artifact, whatever wraps the model there."""
    first = group.names[0]
    prefixes = [key.removesuffix(first) for key in weights if key == first or key.endswith(f".{first}")]
    for prefix in prefixes:
        if all(prefix + name in weights for name in group.names):
            return {name: prefix + name for name in group.names}
    return None


def _failure(evidence: Evidence, group: TiedGroup) -> tuple[TiedGroup, str] | None:
    source = named_weights(evidence.subject.model)
    loaded = named_weights(evidence.artifact.load())
    names = _names(group, loaded)
    if names is None:
        missing = [name for name in group.names if not any(key.endswith(name) for key in loaded)]
        return group, f"{', '.join(missing) or 'the group'} is not there by name"
    for name, key in names.items():
        if not same_bits(source[name].detach().cpu(), loaded[key].detach()):
            return group, f"{key} is not bit-equal to the model's {name}{_gap(source[name], loaded[key])}"
    tied = tied_groups({key: loaded[key] for key in names.values()})
    if tied:
        return group, f"{' and '.join(tied[0].names)} share memory after loading"
    return _moves_together(group, names, loaded)


def _gap(ours: torch.Tensor, theirs: torch.Tensor) -> str:
    if ours.shape != theirs.shape or ours.dtype != theirs.dtype:
        return f": {tuple(theirs.shape)} {theirs.dtype}, not {tuple(ours.shape)} {ours.dtype}"
    differing = ours.detach().cpu().ne(theirs.detach())
    return f": {int(differing.sum())} of {differing.numel()} elements differ"


def _moves_together(group: TiedGroup, names: Mapping[str, str], loaded: Weights) -> tuple[TiedGroup, str] | None:
    """Proof by change: write to one, and the others must stay as they are."""
    for key in names.values():
        others = {other: loaded[other].detach().clone() for other in names.values() if other != key}
        with torch.no_grad():
            loaded[key].copy_(torch.ones_like(loaded[key]) - loaded[key])
        for other, before in others.items():
            if not same_bits(before, loaded[other].detach()):
                return group, f"writing to {key} also writes to {other}"
    return None


def _wrong_size(evidence: Evidence, groups: tuple[TiedGroup, ...]) -> tuple[TiedGroup, str] | None:
    """The archive must hold the bytes of the shared storages once, and those of the clones besides."""
    source = named_weights(evidence.subject.model)
    loaded = named_weights(evidence.artifact.load())
    if len(loaded) != len(source):
        return None
    once = sum(size for _, size in storages(source))
    added = sum(group.bytes_added for group in groups)
    found = evidence.artifact.weight_bytes - once
    if found == added:
        return None
    return groups[0], f"{found} bytes are added to the archive's weights; the copies have {added}"
