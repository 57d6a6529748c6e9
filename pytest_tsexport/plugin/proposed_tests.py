"""A folder -> the text of a test for each checkpoint in it, for `--ts-init`."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from keyword import iskeyword
from pathlib import Path
from string import Template

import pytest

from pytest_tsexport.config.given_models import CONFIG, own_class

LEFT_OUT = frozenset({"node_modules", "site-packages", "__pycache__", "build", "dist"})
"""Folders in which nobody keeps checkpoints of their own; those that begin with a dot are left out too."""

HEAD = '''\
"""The exports of these checkpoints equal their models. Printed by `pytest --ts-init`; run it with `pytest FILE`."""

import pytest
'''

TEST = Template("""

# Each check is a test of its own: trace, tied_weights, parity, shapes, padding, round_trip. Inputs are derived from
# the config; inputs={"input_ids": ...} gives others, and dynamic_shapes={"input_ids": {1: "sequence"}} says that the
# file must answer at other lengths. `pytest --ts-backend=neuron` compiles with AWS Neuron.
@pytest.mark.torchscript
def test_$name():
    from transformers import $model
$own_code
    return $model.from_pretrained($folder, local_files_only=True)
""")

OWN_CODE = """
    # This checkpoint brings Python code of its own. If you trust it, add trust_remote_code=True."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A folder with a config, the class that loads it, and whether it brings Python code of its own."""

    folder: Path
    model: str
    has_own_code: bool


def print_tests(given: str, start: Path) -> int:
    """Print them, and return the exit code. Raises `pytest.UsageError` if there is no checkpoint."""
    if not given or not (start / given).is_dir():
        raise pytest.UsageError(f"--ts-init is {given!r}, which is no folder; give one that holds checkpoints")
    found = list(checkpoints(start / given))
    if not found:
        raise pytest.UsageError(
            f"--ts-init is {given!r}, and no folder in it holds a {CONFIG} that names a model; give a folder of "
            "checkpoints, which save_pretrained wrote"
        )
    sys.stdout.write(text_of(found, start))
    return 0


def checkpoints(folder: Path) -> Iterator[Checkpoint]:
    """The folders below `folder`, and itself, whose config names a model, in the order of their names."""
    for here, below, files in os.walk(folder):
        below[:] = sorted(name for name in below if not name.startswith(".") and name not in LEFT_OUT)
        if CONFIG in files:
            yield from _checkpoint(Path(here))


def text_of(found: Sequence[Checkpoint], start: Path) -> str:
    """A test file; paths are relative to `start`."""
    text = HEAD
    taken: set[str] = set()
    for one in found:
        stem = re.sub(r"\W+", "_", one.folder.name).strip("_").lower() or "model"
        names = (stem, *(f"{stem}_{number}" for number in range(2, len(found) + 2)))
        name = next(name for name in names if name not in taken)
        taken.add(name)
        text += TEST.substitute(
            name=name,
            model=one.model,
            own_code=OWN_CODE if one.has_own_code else "",
            folder=repr(Path(os.path.relpath(one.folder, start)).as_posix()),
        )
    return text


def _checkpoint(folder: Path) -> Iterator[Checkpoint]:
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return  # not a config of Transformers
    if not isinstance(config, dict) or not (config.get("model_type") or config.get("architectures")):
        return
    architectures, own = config.get("architectures"), config.get("auto_map")
    named = architectures[0] if isinstance(architectures, list) and architectures else "AutoModel"
    model = own_class(named, own) or named
    if _is_class_name(model):
        yield Checkpoint(folder, model, has_own_code=bool(own))


def _is_class_name(name: object) -> bool:
    """The config is a file of somebody else's, and its text becomes Python here."""
    return isinstance(name, str) and name.isidentifier() and not iskeyword(name)
