"""model, inputs, path -> file: files that are not a faithful artifact, as found in real projects."""

from __future__ import annotations

import copy
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import nn

from pytest_tsexport.backends.torchscript.tracing import torch_jit_allowed
from pytest_tsexport.testing import exporters
from pytest_tsexport.testing.specimen import Inputs


def fresh(model: nn.Module, inputs: Inputs, path: Path) -> None:
    """A right file: traced now from this model."""
    with quiet():
        exporters.careful(model.eval(), inputs, path)


def stale(model: nn.Module, inputs: Inputs, path: Path) -> None:
    """Traced from the same model before its last training step."""
    older = copy.deepcopy(model)
    exporters.add_to_weights(older)
    fresh(older, inputs, path)


def other_bias(model: nn.Module, inputs: Inputs, path: Path) -> None:
    """Traced before one single bias was fixed."""
    older = copy.deepcopy(model)
    with torch.no_grad():
        list(older.parameters())[-1][0].add_(0.01)
    fresh(older, inputs, path)


def saved_again(model: nn.Module, inputs: Inputs, path: Path) -> None:
    """A right file: loaded and saved again by another program."""
    fresh(model, inputs, path)
    with quiet():
        torch.jit.save(torch.jit.load(str(path)), str(path))


def shared(model: nn.Module, inputs: Inputs, path: Path) -> None:
    """Traced as it is: whatever is tied in the model is one tensor in the file."""
    with quiet():
        exporters.plain(model.eval(), inputs, path)


def truncated(model: nn.Module, inputs: Inputs, path: Path) -> None:
    """A right file copied in part: its last third is missing."""
    fresh(model, inputs, path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 2 // 3])


def state_dict(model: nn.Module, inputs: Inputs, path: Path) -> None:
    """Weights alone, as `torch.save` writes them."""
    torch.save(model.state_dict(), path)


def text(model: nn.Module, inputs: Inputs, path: Path) -> None:
    """A pointer where the file should be, as git-lfs leaves it."""
    path.write_text("version https://git-lfs.github.com/spec/v1\n", encoding="utf-8")


def foreign_archive(model: nn.Module, inputs: Inputs, path: Path) -> None:
    """A zip of another program."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("README.txt", "nothing to load here")


def rewrite(path: Path, old: str, new: str) -> None:
    """Replace a text in the code of an archive, as another device or another torch would have written it."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content.replace(old.encode(), new.encode()) if name.endswith(".py") else content)


def missing(model: nn.Module, inputs: Inputs, path: Path) -> None:
    """No file at all."""


@contextmanager
def quiet() -> Iterator[None]:
    """Without torch's deprecation of `torch.jit` and without tracer warnings: faulty models are traced on purpose."""
    with torch_jit_allowed(), warnings.catch_warnings():
        warnings.simplefilter("ignore", torch.jit.TracerWarning)  # type: ignore[attr-defined]
        yield
