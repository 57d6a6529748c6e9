"""model -> verdicts: the whole life of an export in one call, for tests of models, backends and exporters."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import nn

from pytest_tsexport.config.keywords import from_keywords
from pytest_tsexport.pipeline import export
from pytest_tsexport.testing.specimen import Inputs, Specimen
from pytest_tsexport.verdict import Verdict


def judge(
    model: nn.Module, inputs: Inputs | None = None, *, backend: object = "jit", seed: int = 0, **keywords: Any
) -> dict[str, Verdict]:
    """Export `model` on one backend, judge the file, release it: the verdict of each check by name.

    `backend` is a name or any object with the methods of one; `keywords` are the marker's. Raises what
    `pytest_tsexport.validate` raises.
    """
    policy = from_keywords({**keywords, **({} if inputs is None else {"inputs": inputs})})
    policy = replace(policy, options=replace(policy.options, seed=seed))
    made = export(model, policy, name=type(model).__name__, backend=backend)
    try:
        return {check: made.check(check) for check in policy.checks}
    finally:
        made.close()


def judge_specimen(
    specimen: Specimen, *, backend: object = "jit", seed: int = 0, **keywords: Any
) -> Mapping[str, Verdict]:
    """The verdicts about a specimen; a file that was made earlier is written first."""
    model, inputs = specimen.model(), specimen.inputs()
    with tempfile.TemporaryDirectory(prefix="tsexport-") as folder:
        given = {**specimen.keywords, **keywords}
        if specimen.file is not None:
            given["artifact"] = Path(folder, "earlier.pt")
            specimen.file(model, inputs, given["artifact"])
        return judge(model, inputs, backend=backend, seed=seed, **given)
