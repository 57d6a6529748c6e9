"""model, policy -> verdicts: the whole pipeline, with no pytest in it.

`export` makes or opens the artifact, `Export.check` asks one question about it, `validate` asks all of them.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import SystemRandom
from typing import Any

import torch
from torch import nn

from pytest_tsexport import backends, making
from pytest_tsexport.artifact import open_file
from pytest_tsexport.backends.base import Backend
from pytest_tsexport.backends.jit import torch_jit_allowed
from pytest_tsexport.errors import InputsError
from pytest_tsexport.export import Export
from pytest_tsexport.generation.hypotheses import derandomized
from pytest_tsexport.making import Made, Process
from pytest_tsexport.policy import Policy, from_keywords
from pytest_tsexport.subjects.examples import forward_arguments
from pytest_tsexport.subjects.subject import Hints, Subject, build
from pytest_tsexport.verdict import Verdict

DERANDOMIZED_SEED = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """What the pipeline may ask of its host, and tell it: a hook that gives inputs, progress, each verdict made."""

    inputs: Callable[[nn.Module], Mapping[str, Any] | None] = lambda model: None
    progress: Callable[[str], None] = lambda line: None
    judged: Callable[[Verdict], None] = lambda verdict: None


def validate(
    model: object, inputs: Mapping[str, Any] | None = None, *, name: str | None = None, **keywords: Any
) -> tuple[Verdict, ...]:
    """Every verdict about a model's export, on each of `backends` (jit where none is named).

    `keywords` are the marker's. Nothing is raised for an export that is wrong: read `Verdict.outcome`.
    Raises `PolicyError` for a keyword that is not valid, `InputsError` for inputs that do not fit.
    """
    policy = from_keywords({**keywords, **({} if inputs is None else {"inputs": inputs})})
    verdicts: list[Verdict] = []
    for backend in policy.backends:
        made = export(model, policy, name=name or type(model).__name__, backend=backend)
        verdicts += [made.check(check) for check in policy.checks]
        made.close()
    return tuple(verdicts)


def export(
    returned: object, policy: Policy, *, name: str, backend: object = "jit", asker: Asker | None = None
) -> Export:
    """What a test function returned, exported on one backend and ready to be judged.

    `returned` is an `nn.Module`, a `ScriptModule` (taken as exported already; it needs `reference=`), or
    `(module, inputs)`. A model that cannot be traced is not an error here: its verdicts say so.
    Raises `InputsError`, `PolicyError` or `ArtifactError`, one sentence each.
    """
    asker = asker or Asker()
    folder = Path(tempfile.mkdtemp(prefix="tsexport-"))
    try:
        return _export(returned, _seeded(policy), name, backends.found(backend), asker, folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _export(returned: object, policy: Policy, name: str, backend: Backend, asker: Asker, folder: Path) -> Export:
    module, policy = _module(returned, policy)
    if isinstance(module, torch.jit.ScriptModule):
        module, policy = _already_exported(module, policy, folder)
    hints = Hints(ask=asker.inputs)
    meaning = policy.meaning
    artifact = None if meaning.artifact is None else open_file(Path(meaning.artifact))
    if artifact is not None:
        known = forward_arguments(module) or ()
        fits = bool(artifact.arguments) and set(artifact.arguments) <= set(known)
        hints = replace(hints, arguments=artifact.arguments if fits else None, sizes=artifact.sizes if fits else {})
    subject = build(module, meaning, name=name, hints=hints)
    why = backend.why_unavailable()
    if artifact is not None:
        made = Made(subject=subject, process=Process(given=True), artifact=artifact)
    elif why is not None:
        made = Made(subject=subject, process=Process())
    else:
        made = _make(subject, policy, backend, folder)
    return Export(
        made, policy, backend, live=module, unavailable=why, folder=folder, tell=asker.progress, judged=asker.judged
    )


def _make(subject: Subject, policy: Policy, backend: Backend, folder: Path) -> Made:
    path = (policy.effort.export_dir or folder) / f"{_slug(subject.name)}-{backend.name}.pt"
    exporter = policy.meaning.export
    if exporter is not None:
        return making.exported(subject, exporter, path)
    return making.trace(subject, backend, path)


def _module(returned: object, policy: Policy) -> tuple[nn.Module, Policy]:
    """The module that was returned, and the policy with the inputs that were returned beside it."""
    module, inputs = returned, None
    if isinstance(returned, tuple) and len(returned) == 2:
        module, inputs = returned
    if not isinstance(module, nn.Module):
        got = type(module).__name__
        raise InputsError(f"the function returned a {got}; return an nn.Module, or (module, inputs)")
    if inputs is None:
        return module, policy
    if policy.meaning.inputs is not None:
        raise InputsError("inputs are given to the marker and returned beside the module; give them once")
    return module, replace(policy, meaning=replace(policy.meaning, inputs=_named(module, inputs)))


def _named(module: nn.Module, inputs: object) -> Mapping[str, Any]:
    """Inputs by name; positional ones take the names of `forward`'s first arguments."""
    if isinstance(inputs, Mapping):
        return dict(inputs)
    if isinstance(inputs, torch.Tensor):
        inputs = (inputs,)
    names = forward_arguments(module) or ()
    if not isinstance(inputs, Sequence) or len(inputs) > len(names):
        raise InputsError(f"inputs beside the module are a {type(inputs).__name__}; return {{argument name: tensor}}")
    return dict(zip(names, inputs, strict=False))


def _already_exported(module: torch.jit.ScriptModule, policy: Policy, folder: Path) -> tuple[nn.Module, Policy]:
    """A returned `ScriptModule` as the file it would ship as, judged against `reference=`."""
    reference = policy.meaning.reference
    if not isinstance(reference, nn.Module):
        raise InputsError(
            "the function returned a ScriptModule, which is exported already; say with reference= which model it exports"
        )
    path = folder / "returned.pt"
    with torch_jit_allowed():
        torch.jit.save(module, str(path))
    return reference, replace(policy, meaning=replace(policy.meaning, artifact=path, export=None))


def _seeded(policy: Policy) -> Policy:
    """The seed asked for, else a fixed one where hypothesis derandomises (as in CI), else a drawn one."""
    if policy.effort.seed is not None:
        return policy
    seed = DERANDOMIZED_SEED if derandomized() else SystemRandom().randrange(10_000)
    return replace(policy, effort=replace(policy.effort, seed=seed))


def _slug(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-") or "export"
