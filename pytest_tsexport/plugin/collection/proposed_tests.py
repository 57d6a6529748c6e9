"""A folder -> the text of a test for each checkpoint in it, for `--ts-init`."""

from __future__ import annotations

import json
import os
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_tsexport.config.options import Option

CONFIG = "config.json"
LEFT_OUT = frozenset({"node_modules", "site-packages", "__pycache__", "build", "dist"})
"""Folders in which nobody keeps checkpoints of their own; those that begin with a dot are left out too."""

HEAD = '''\
"""The exports of these checkpoints equal their models. Printed by `pytest --ts-init`; run it with `pytest FILE`."""

import pytest
{imports}
'''

TEST = """

# Each check is a test of its own: trace, tied_weights, parity, shapes, padding, round_trip. Inputs are derived from
# the config; inputs={{"input_ids": ...}} gives others, and dynamic_shapes={{"input_ids": {{1: "sequence"}}}} says that
# the file must answer at other lengths. `pytest --ts-backend=neuron` compiles with AWS Neuron.
@pytest.mark.torchscript
def test_{name}():{remote}
    return {model}.from_pretrained({folder}, {keywords})
"""

REMOTE = "\n    # It brings Python code of its own: read that before you run it."


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A folder with a config, the class that loads it, and whether it brings Python code of its own."""

    folder: Path
    model: str
    is_remote: bool


def print_tests(config: pytest.Config, option: Option) -> int:
    """Print them, and return the exit code. Raises `pytest.UsageError` if there is no checkpoint."""
    given = config.getoption(option.ini) or config.getini(option.ini)
    start = config.invocation_params.dir
    folder = start / str(given)
    if not folder.is_dir():
        raise pytest.UsageError(f"{option.flag} is {given!r}, which is no folder; give one that holds checkpoints")
    found = list(checkpoints(folder))
    if not found:
        raise pytest.UsageError(
            f"{option.flag} is {given!r}, and no folder in it holds a {CONFIG} that names a model; give a folder of "
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
    """A test file; paths are relative to `start`, where they can be."""
    models = sorted({one.model for one in found})
    text = HEAD.format(imports=f"from transformers import {', '.join(models)}")
    taken: Counter[str] = Counter()
    for one in found:
        name = re.sub(r"\W+", "_", one.folder.name).strip("_").lower() or "model"
        taken[name] += 1
        text += TEST.format(
            name=name if taken[name] == 1 else f"{name}_{taken[name]}",
            remote=REMOTE if one.is_remote else "",
            model=one.model,
            folder=repr(Path(os.path.relpath(one.folder, start)).as_posix()),
            keywords="local_files_only=True" + (", trust_remote_code=True" if one.is_remote else ""),
        )
    return text


def _checkpoint(folder: Path) -> Iterator[Checkpoint]:
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return  # not a config of Transformers
    if not isinstance(config, dict) or not (config.get("model_type") or config.get("architectures")):
        return
    architectures, own = config.get("architectures") or ["AutoModel"], config.get("auto_map") or {}
    auto = [name for name, target in own.items() if str(target).endswith(f".{architectures[0]}")]
    yield Checkpoint(folder, auto[0] if auto else str(architectures[0]), is_remote=bool(auto))
