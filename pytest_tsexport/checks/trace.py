"""evidence -> verdict: does the model export, and does exporting leave it alone?"""

from __future__ import annotations

from dataclasses import replace

from torch import nn

from pytest_tsexport.checks.base import traced_at, verdict
from pytest_tsexport.comparison.difference import difference
from pytest_tsexport.comparison.evidence import Evidence
from pytest_tsexport.config.policy import CHECKS
from pytest_tsexport.diagnosis.compiled import fault, remarks
from pytest_tsexport.subjects.reference import one_line
from pytest_tsexport.verdict import Outcome, Row, Verdict

EXPLAINED = {
    "unordered_map::at": (
        "torch.jit.trace cannot follow a torch.func transform; Transformers 4.53 to 4.57 build masks with vmap",
        "use Transformers 5, whose masks it can follow, or pass a 4-D attention mask",
    ),
    "Could not export Python function call": (
        "it traces and cannot be saved: a torch.autograd.Function of the model has no TorchScript form",
        "replace that function in evaluation mode (BloomGelu by its plain forward, for one)",
    ),
    "Tracer cannot infer type": (
        "its output holds what is no tensor",
        "return tensors, or nested tuples and dicts of them",
    ),
    "don't support parameter sharing": (
        "one module holds one parameter under two names",
        "give the module one name for it, or export through untie(model)",
    ),
}
"""What torch says, by a part of its text: what it means, and what to do."""


class Trace:
    """What can be said of the making of an export; the other checks judge the file."""

    name = "trace"
    question = CHECKS["trace"]

    def why_not_applicable(self, evidence: Evidence) -> str | None:
        """Always applies: of a finished file it asks whether it loads and whether eager is fit to judge it."""
        return None

    def run(self, evidence: Evidence) -> Verdict:
        """Fails where the source changed, where it goes on training, or where it answers itself otherwise."""
        failure = _changed(evidence) or _still_training(evidence) or _random(evidence) or fault(evidence)
        if failure is not None:
            headline, *rows = failure
            return verdict(evidence, self.name, Outcome.FAILED, headline[1], (traced_at(evidence), *rows))
        made = "loads" if evidence.process.given else "exports, and leaves the model alone"
        found = verdict(evidence, self.name, Outcome.PASSED, made)
        notes = (*_baked_in(evidence.subject.model), *remarks(evidence))
        return replace(found, notes=notes, judged=1, planned=1)


def explained(error: BaseException) -> tuple[Row, ...]:
    """Rows that say in words why a model could not be exported."""
    text = str(error)
    for part, (meaning, fix) in EXPLAINED.items():
        if part in text:
            return ("likely cause", meaning), ("fix", fix), ("torch says", one_line(error))
    return (("torch says", one_line(error)),)


def _changed(evidence: Evidence) -> list[Row] | None:
    changed = evidence.process.changed
    if not changed:
        return None
    return [
        ("", "exporting changed the source model"),
        ("changed", "; ".join(changed[:4]) + (f"; and {len(changed) - 4} more" if len(changed) > 4 else "")),
        ("fix", "export a copy: copy.deepcopy(model), or untie(model), which shares what it need not copy"),
    ]


def _still_training(evidence: Evidence) -> list[Row] | None:
    training = [
        name or "the model" for name, module in evidence.reference.sharing_copy().named_modules() if module.training
    ]
    if not training:
        return None
    return [
        ("", "still in training mode after .eval()"),
        ("modules", ", ".join(training[:4]) + (f" and {len(training) - 4} more" if len(training) > 4 else "")),
        ("fix", "let train(False) reach every submodule: a trace in training mode bakes dropout in for good"),
    ]


def _random(evidence: Evidence) -> list[Row] | None:
    """Fresh copies, so that state left by a call is not taken for chance."""
    inputs = evidence.subject.inputs
    one, two = (evidence.reference.call(evidence.reference.sharing_copy(), inputs) for _ in range(2))
    if one.leaves is None or two.leaves is None:
        return None
    found = difference(one.leaves, two.leaves, evidence.tolerance)
    if found is None:
        return None
    return [
        ("", "eager answers two equal calls differently, so nothing can be faithful to it"),
        ("differs", found.text),
        ("fix", "make evaluation deterministic: no dropout, no sampling, no fresh noise in forward"),
    ]


def _baked_in(model: nn.Module) -> tuple[str, ...]:
    """Hooks and adapters are part of what eager answers, and so are baked into the export: worth telling."""
    notes = []
    hooked = [n or "the model" for n, m in model.named_modules() if _own_hooks(m)]
    if hooked:
        notes.append(f"forward hooks are baked in: {', '.join(hooked[:3])}{' …' if len(hooked) > 3 else ''}")
    adapters = [n for n, m in model.named_modules() if getattr(m, "merged", None) is False and hasattr(m, "merge")]
    if adapters:
        notes.append(
            f"unmerged adapters are exported beside the weights they change: {adapters[0]} … ({len(adapters)})"
        )
    return tuple(notes)


def _own_hooks(module: nn.Module) -> bool:
    """Hooks of others than torch: weight_norm and spectral_norm are part of the model's own arithmetic."""
    hooks = [*module._forward_hooks.values(), *module._forward_pre_hooks.values()]
    return any(not type(hook).__module__.startswith("torch.nn.utils") for hook in hooks)
