"""model, policy -> verdicts: the whole pipeline, with no pytest in it.

`export` makes or opens the artifact, `Export.check` asks one question about it, `validate` asks all of them.
"""

from __future__ import annotations

import re
import shutil
import tempfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from random import SystemRandom
from typing import Any

import torch
from torch import nn

from pytest_tsexport import backends
from pytest_tsexport.backends.base import Backend, Compiler
from pytest_tsexport.backends.jit import torch_jit_allowed
from pytest_tsexport.cases.hypothesis_adapter import derandomized
from pytest_tsexport.config.atomic_file import replacing
from pytest_tsexport.config.keywords import from_keywords
from pytest_tsexport.config.policy import Policy
from pytest_tsexport.errors import InputsError
from pytest_tsexport.export import Export
from pytest_tsexport.exporting import export_model, loading
from pytest_tsexport.exporting.artifact import Artifact
from pytest_tsexport.exporting.compile_request import compiling
from pytest_tsexport.exporting.context import Callbacks, ExportContext
from pytest_tsexport.exporting.export_model import Made, Process
from pytest_tsexport.subjects.axes import forward_arguments
from pytest_tsexport.subjects.subject import Hints, Subject, build
from pytest_tsexport.verdict import Verdict

__all__ = ["Callbacks", "Export", "export", "validate"]

DERANDOMIZED_SEED = 0


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
    returned: object, policy: Policy, *, name: str, backend: object = "jit", callbacks: Callbacks | None = None
) -> Export:
    """What a test function returned, exported on one backend and ready to be judged.

    `returned` is an `nn.Module`, a `ScriptModule` (taken as exported already; it needs `reference=`), or
    `(module, inputs)`. A model that cannot be traced is not an error here: its verdicts say so.
    Raises `InputsError`, `PolicyError` or `ArtifactError`, one sentence each.
    """
    __tracebackhide__ = True
    folder = Path(tempfile.mkdtemp(prefix="tsexport-"))
    try:
        module, policy = _module(returned, _seeded(policy))
        if isinstance(module, torch.jit.ScriptModule):
            module, policy = _already_exported(module, policy, folder)
        found = backends.found(backend)
        context = ExportContext(
            live=module, folder=folder, callbacks=callbacks or Callbacks(), unavailable=found.why_unavailable()
        )
        with torch.random.fork_rng(devices=[]):  # what a model draws here, the user's own tests must not miss
            made = _made(name, policy, found, context)
        return Export(made, policy, context)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _made(name: str, policy: Policy, backend: Backend, context: ExportContext) -> Made:
    """The artifact: a finished file, or a fresh one; none where the backend is unavailable."""
    given = policy.meaning.artifact
    if context.unavailable is not None and isinstance(backend, Compiler):
        given = None  # no file of a compiler loads without it; any other one can be judged where it was made elsewhere
    artifact, why = (None, None) if given is None else loading.opened(Path(given), backend)
    subject = build(context.live, policy.meaning, name=name, hints=_hints(context, artifact))
    if artifact is None and context.unavailable is not None:
        return Made(subject=subject, backend=backend, process=Process())
    backend = compiling(backend, policy, subject, context.callbacks.processes)
    if artifact is None:
        return _make(subject, policy, backend, context.folder)
    why = why or loading.why_not_run(artifact, subject, backend)
    return Made(subject=subject, backend=backend, process=Process(given=True), artifact=artifact, unrunnable=why)


def _hints(context: ExportContext, artifact: Artifact | None) -> Hints:
    """A finished file whose arguments are the model's own says which inputs there are, and their sizes."""
    known = forward_arguments(context.live) or ()
    if artifact is None or not artifact.arguments or not set(artifact.arguments) <= set(known):
        return Hints(ask=context.callbacks.inputs)
    return Hints(ask=context.callbacks.inputs, arguments=artifact.arguments, sizes=artifact.sizes)


def _make(subject: Subject, policy: Policy, backend: Backend, folder: Path) -> Made:
    path = folder / f"{_file_name(subject.name)}-{backend.name}.pt"
    job = export_model.Job(path, backend, policy.timeout)
    exporter = policy.meaning.export
    if exporter is None:
        made = export_model.trace(subject, job, guarded=policy.meaning.guard)
    else:
        made = export_model.exported(subject, exporter, job)
    if made.artifact is not None and policy.effort.export_dir is not None:
        _keep(path, policy.effort.export_dir)
    return made


def _keep(path: Path, folder: Path) -> None:
    """A copy for the user: the file that is judged stays out of other workers' reach."""
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(folder / path.name) as partial:
        shutil.copyfile(path, partial)


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
            "the function returned a ScriptModule, which is exported already; "
            "say with reference= which model it exports"
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


def _file_name(name: str) -> str:
    """A node id as a file name; ids that only differ in what a file name cannot hold are told apart by a checksum."""
    plain = re.sub(r"::|[/\\\[]", "-", name).replace("]", "")
    safe = re.sub(r"[^A-Za-z0-9._-]+", "-", plain).strip("-")
    parameters = name.partition("[")[2]
    odd = safe != plain or "/" in parameters or "\\" in parameters
    return f"{safe}-{zlib.crc32(name.encode()):08x}" if odd else safe
