"""evidence -> verdict: does the model export, and does exporting leave it alone?"""

from __future__ import annotations

from dataclasses import replace

from torch import nn

from pytest_tsexport.cases.findings import Difference
from pytest_tsexport.checks.base import traced_at, verdict
from pytest_tsexport.comparison.difference import difference
from pytest_tsexport.comparison.evidence import Evidence
from pytest_tsexport.comparison.tolerance import Tolerance
from pytest_tsexport.config.names import CHECKS
from pytest_tsexport.diagnosis.compiled import fault, remarks
from pytest_tsexport.exporting.settings import listed
from pytest_tsexport.exporting.source import OtherAnswers
from pytest_tsexport.subjects.arguments import numbers
from pytest_tsexport.tensors.tree import Leaves
from pytest_tsexport.verdict import Outcome, Row, Verdict


class Trace:
    """What can be said about how the export was made; the other checks judge the file."""

    name = "trace"
    question = CHECKS["trace"]

    def why_not_applicable(self, evidence: Evidence) -> str | None:
        """Always applies: a finished file has to load, and eager has to be fit to judge it."""
        return None

    def run(self, evidence: Evidence) -> Verdict:
        """Fails if the source changed, still trains, has an unmerged adapter, or answers equal calls differently."""
        failure = _changed(evidence) or _settings(evidence) or _still_training(evidence) or _unmerged(evidence)
        failure = failure or _random(evidence) or _other_answers(evidence) or fault(evidence)
        if failure is not None:
            headline, *rows = failure
            return verdict(evidence, Outcome.FAILED, headline[1], (traced_at(evidence), *rows))
        made = "loads" if evidence.process.given else "exports, and leaves the model alone"
        found = verdict(evidence, Outcome.PASSED, made)
        notes = (*_baked_in(evidence.subject.model), *_frozen_numbers(evidence), *remarks(evidence))
        return replace(found, notes=notes, judged=1, planned=1)


def _changed(evidence: Evidence) -> list[Row] | None:
    changed = evidence.process.changed
    if not changed:
        return None
    return [
        ("", "exporting changed the source model"),
        ("changed", listed(changed)),
        ("fix", "put back what exporting sets on the model, or work on a copy: copy.deepcopy(model), or untie(model)"),
    ]


def _settings(evidence: Evidence) -> list[Row] | None:
    settings = evidence.process.settings
    if not settings:
        return None
    return [
        ("", "exporting changed settings of the whole process"),
        ("changed", listed(settings)),
        ("fix", "change them in a `with` block, or set them back in a `finally`; other models answer differently too"),
    ]


def _other_answers(evidence: Evidence) -> list[Row] | None:
    other = evidence.process.other_answers
    text = None if other is None else _other_answer(other, evidence.tolerance.derived())
    if text is None:
        return None
    return [
        ("", "the model answers differently after exporting"),
        ("differs", text),
        (
            "fix",
            "undo what exporting left: a function, a global, a closure, an entry of a cache, an environment variable",
        ),
    ]


def _other_answer(other: OtherAnswers, tolerance: Tolerance) -> str | None:
    """How the model's answer differs now. The user's tolerance is for the file; a model is compared with itself.

    None if its answers change from call to call anyway: then nothing says what is right after the export.
    """
    first, *more = other.before
    if any(difference(first, leaves, tolerance) is not None for leaves in more):
        return None
    if other.after is None:
        return f"it raises {other.raised}"
    found = difference(first, other.after, tolerance)
    return None if found is None else _in_words(found, first, other.after)


def _in_words(found: Difference, before: Leaves, after: Leaves) -> str:
    """A difference between two answers of the model itself."""
    leaf = found.leaf
    if found.kind == "structure":
        return f"it returned {', '.join(before)}, and now {', '.join(after) or 'nothing'}"
    if found.kind == "shape":
        return f"{leaf} had shape {tuple(before[leaf].shape)}, and now {tuple(after[leaf].shape)}"
    if found.kind == "dtype":
        return f"{leaf} was {before[leaf].dtype}, and now {after[leaf].dtype}"
    return f"{leaf} has NaN at other places now" if found.kind == "nan" else found.text


def _still_training(evidence: Evidence) -> list[Row] | None:
    training = [
        name or "the model"
        for name, module in evidence.reference.parameter_sharing_copy().named_modules()
        if module.training
    ]
    if not training:
        return None
    return [
        ("", "still in training mode after .eval()"),
        ("modules", ", ".join(training[:4]) + (f" and {len(training) - 4} more" if len(training) > 4 else "")),
        ("fix", "let train(False) reach every submodule: a trace in training mode bakes dropout in for good"),
    ]


def _unmerged(evidence: Evidence) -> list[Row] | None:
    """An adapter beside the weights that it changes; an exporter of the user's own may merge it in a copy."""
    if evidence.process.given or evidence.policy.meaning.export is not None:
        return None
    # PEFT's layers say whether they are merged. Other libraries' layers that can merge say it in the same way.
    modules = {path: one for path, one in evidence.subject.model.named_modules() if hasattr(one, "merge")}
    unmerged = {path: one for path, one in modules.items() if getattr(one, "merged", None) is False}
    if not unmerged:
        return None
    names = {name for one in unmerged.values() for name in getattr(one, "active_adapters", ())}
    which = f"adapter {', '.join(map(repr, sorted(names)))}" if names else "an adapter"
    more = f" and {len(unmerged) - 1} more" if len(unmerged) > 1 else ""
    return [
        ("", f"{which} is not merged into the weights"),
        ("modules", f"{next(iter(unmerged))}{more}"),
        ("fix", "merge it before the export: model.merge_and_unload() in PEFT"),
    ]


def _random(evidence: Evidence) -> list[Row] | None:
    """Fresh copies, so that state left by a call is not taken for randomness."""
    inputs = evidence.subject.inputs
    one, two = (evidence.reference.call(evidence.reference.parameter_sharing_copy(), inputs) for _ in range(2))
    if one.leaves is None or two.leaves is None:
        return None
    found = difference(one.leaves, two.leaves, evidence.tolerance.sharing())
    if found is None:
        return None
    return [
        ("", "eager's answers to two equal calls differ, so no export can equal it"),
        ("differs", found.text),
        ("fix", "make evaluation deterministic: no dropout, no sampling, no fresh noise in forward"),
    ]


def _baked_in(model: nn.Module) -> tuple[str, ...]:
    """Hooks take part in eager's answers, so the export has them baked in: worth a note."""
    hooked = [n or "the model" for n, m in model.named_modules() if _own_hooks(m)]
    return (f"forward hooks are baked in: {', '.join(hooked[:3])}{' …' if len(hooked) > 3 else ''}",) if hooked else ()


def _frozen_numbers(evidence: Evidence) -> tuple[str, ...]:
    """Numbers that the user gave and that are no arguments of the file: it holds this one for good."""
    given, taken = numbers(evidence.subject.items), evidence.artifact.arguments
    return tuple(
        f"{name}={one!r} is frozen in the file: it does not vary" for name, one in given.items() if name not in taken
    )


def _own_hooks(module: nn.Module) -> bool:
    """Hooks that are not torch's own: weight_norm and spectral_norm belong to the model's arithmetic."""
    hooks = [*module._forward_hooks.values(), *module._forward_pre_hooks.values()]
    return any(not type(hook).__module__.startswith("torch.nn.utils") for hook in hooks)
