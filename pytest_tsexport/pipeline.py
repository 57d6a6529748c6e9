"""The whole pipeline without pytest: `export` makes or opens an artifact, `validate` also runs the checks on it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from random import SystemRandom
from typing import Any

import torch
from torch import nn

from pytest_tsexport import backends
from pytest_tsexport.backends.base import Backend, Compiler
from pytest_tsexport.backends.file_format import FileFormat
from pytest_tsexport.cases.hypothesis_adapter import derandomized
from pytest_tsexport.comparison.seeding import random_numbers_put_back
from pytest_tsexport.config.kept_files import KeptFile, stem_of
from pytest_tsexport.config.keywords import from_keywords
from pytest_tsexport.config.policy import Policy
from pytest_tsexport.config.shown import with_article
from pytest_tsexport.diagnosis.crash import crashes_told
from pytest_tsexport.errors import InputsError
from pytest_tsexport.export import Export
from pytest_tsexport.exporting import export_model, loading
from pytest_tsexport.exporting.artifact import Artifact
from pytest_tsexport.exporting.compile_request import compiling
from pytest_tsexport.exporting.context import Callbacks, ExportContext
from pytest_tsexport.exporting.export_model import Made, Process
from pytest_tsexport.exporting.settings import settings_put_back
from pytest_tsexport.subjects.axes import forward_arguments
from pytest_tsexport.subjects.build import build
from pytest_tsexport.subjects.subject import Hints, Subject
from pytest_tsexport.verdict import Verdict

__all__ = ["Callbacks", "Export", "export", "validate"]

DERANDOMIZED_SEED = 0


def validate(
    model: object, inputs: Mapping[str, Any] | None = None, *, name: str | None = None, **keywords: Any
) -> tuple[Verdict, ...]:
    """Every verdict about a model's export, on each of `backends` (jit if none is named).

    `keywords` are those of the marker. A wrong export raises nothing: read `Verdict.outcome`.
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

    `returned` is an `nn.Module`, what the backend's format saves (for TorchScript a `ScriptModule`; it counts as
    exported and needs `reference=`), or `(module, inputs)`. A model that cannot be traced raises nothing here: its
    verdicts say so.
    Raises `InputsError`, `PolicyError` or `ArtifactError`, one sentence each, and `CrashError` if the model ends in
    anything but an answer.
    """
    __tracebackhide__ = True
    folder = Path(tempfile.mkdtemp(prefix="tsexport-"))
    try:
        resolved = backends.found(backend)
        module, policy = _model_and_policy(returned, _seeded(policy), backends.format_of(resolved), folder)
        context = ExportContext(
            live=module, folder=folder, callbacks=callbacks or Callbacks(), unavailable=resolved.why_unavailable()
        )
        # What the model draws or sets here does not change the user's tests.
        with random_numbers_put_back(), settings_put_back() as changes, crashes_told(context.callbacks):
            made = _made_or_opened(name, policy, resolved, context)
        put_back = (*made.process.put_back, *(change.text for change in changes))
        made = replace(made, process=replace(made.process, put_back=put_back))
        return Export(made, policy, context)
    except BaseException:  # an interrupt removes the folder too, and is re-raised
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _made_or_opened(name: str, policy: Policy, backend: Backend, context: ExportContext) -> Made:
    """The subject with its artifact: a finished file, a fresh one, or none if the backend is unavailable."""
    given = policy.meaning.artifact
    if context.unavailable is not None and isinstance(backend, Compiler):
        given = None  # a compiled file cannot be loaded without the package of its compiler; other files can
    kept = _kept(name, policy, backend)
    if kept is not None and given is None and context.unavailable is None:
        kept.discard()
    artifact, why = (None, None) if given is None else loading.opened(Path(given), backend)
    subject = build(context.live, policy.meaning, name=name, hints=_hints(context, artifact))
    if artifact is None and context.unavailable is not None:
        return Made(subject=subject, backend=backend, process=Process())
    backend = compiling(backend, policy, subject, context.callbacks.processes)
    if artifact is None:
        return _make(subject, policy, backend, context.folder)
    artifact = replace(artifact, device=subject.device)
    why = why or loading.why_not_run(artifact, subject, backend)
    return Made(subject=subject, backend=backend, process=Process(given=True), artifact=artifact, unrunnable=why)


def _hints(context: ExportContext, artifact: Artifact | None) -> Hints:
    """If a finished file has the model's argument names, it decides which inputs there are, and their sizes."""
    known = forward_arguments(context.live) or ()
    if artifact is None or not artifact.arguments or not set(artifact.arguments) <= set(known):
        return Hints(inputs_hook=context.callbacks.inputs)
    return Hints(inputs_hook=context.callbacks.inputs, arguments=artifact.arguments, sizes=artifact.sizes)


def _kept(name: str, policy: Policy, backend: Backend) -> KeptFile | None:
    """The names of the file in `--ts-export-dir`; None if no file is kept."""
    folder = policy.options.export_dir
    if folder is None:
        return None
    return KeptFile(folder, stem_of(name, backend.name), backends.format_of(backend).suffix)


def _make(subject: Subject, policy: Policy, backend: Backend, folder: Path) -> Made:
    path = folder / f"{stem_of(subject.name, backend.name)}{backends.format_of(backend).suffix}"
    job = export_model.Job(path, backend, policy.timeout)
    exporter = policy.meaning.export
    if exporter is None:
        made = export_model.trace(subject, job, guarded=policy.meaning.guard)
    else:
        made = export_model.exported(subject, exporter, job)
    kept = _kept(subject.name, policy, backend)
    if made.artifact is not None and kept is not None:
        kept.keep(path)
    return made


def _model_and_policy(
    returned: object, policy: Policy, file_format: FileFormat, folder: Path
) -> tuple[nn.Module, Policy]:
    """The model to judge, and the policy with the inputs, or the export, that the function returned."""
    module, inputs = returned, None
    if isinstance(returned, tuple) and len(returned) == 2:
        module, inputs = returned
    if not isinstance(module, (nn.Module, file_format.exported)):
        raise InputsError(f"{with_article(module)} is no model; return an nn.Module, or (module, inputs)")
    if inputs is not None and policy.meaning.inputs is not None:
        raise InputsError("inputs are given twice: as inputs= and beside the module; give them once")
    if inputs is not None:
        policy = replace(policy, meaning=replace(policy.meaning, inputs=_named(module, inputs)))
    if isinstance(module, file_format.exported):
        return _already_exported(module, policy, file_format, folder)
    assert isinstance(module, nn.Module)
    return module, policy


def _named(module: object, inputs: object) -> Mapping[str, Any]:
    """Inputs by name; positional ones take the names of `forward`'s first arguments."""
    if isinstance(inputs, Mapping):
        return dict(inputs)
    if isinstance(inputs, torch.Tensor):
        inputs = (inputs,)
    names = forward_arguments(module) or () if isinstance(module, nn.Module) else ()
    if not isinstance(inputs, Sequence) or len(inputs) > len(names):
        raise InputsError(f"inputs beside the module are {with_article(inputs)}; return {{argument name: tensor}}")
    return dict(zip(names, inputs, strict=False))


def _already_exported(module: Any, policy: Policy, file_format: FileFormat, folder: Path) -> tuple[nn.Module, Policy]:
    """The model given by `reference=`, and a policy that judges the file to which `module` is saved."""
    reference = policy.meaning.reference
    if not isinstance(reference, nn.Module):
        raise InputsError(
            f"a {file_format.exported.__name__} is exported already; say with reference= which model it exports"
        )
    path = folder / f"returned{file_format.suffix}"
    file_format.save(module, path, "")
    return reference, replace(policy, meaning=replace(policy.meaning, artifact=path, export=None))


def _seeded(policy: Policy) -> Policy:
    """The seed that the user chose; else a fixed one if hypothesis is derandomized (as in CI); else a random one."""
    if policy.options.seed is not None:
        return policy
    seed = DERANDOMIZED_SEED if derandomized() else SystemRandom().randrange(10_000)
    return replace(policy, options=replace(policy.options, seed=seed))
