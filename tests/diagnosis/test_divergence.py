"""Proves that a failure names the submodule and line that the trace froze, and none if none is at fault."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from pytest_tsexport.cases.case import at
from pytest_tsexport.comparison.evidence import Evidence
from pytest_tsexport.config.keywords import from_keywords
from pytest_tsexport.diagnosis.divergence import cause, origin
from pytest_tsexport.pipeline import export
from pytest_tsexport.testing import exporters, files, judge
from pytest_tsexport.testing import wrong_exports as made
from pytest_tsexport.testing import wrong_routing as routing
from pytest_tsexport.testing import wrong_sizes as sizes
from pytest_tsexport.testing import wrong_state as state
from pytest_tsexport.testing.specimen import Inputs, rows
from pytest_tsexport.verdict import Outcome, Verdict
from tests.quality.turns import one_in
from tests.quality.wild import OLD, Wild, right, wrong

# Some families emit warnings.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

HERE = Path(__file__).name


def reported(found: Verdict) -> dict[str, str]:
    assert found.outcome is Outcome.FAILED
    return dict(found.rows)


def shapes(model: nn.Module, inputs: Inputs | None = None, **keywords: Any) -> dict[str, str]:
    return reported(judge(model, inputs or rows()(), checks="shapes", **keywords)["shapes"])


def evidence_of(one: Wild) -> Evidence:
    inputs = None if one.inputs is None else one.inputs()
    policy = from_keywords({} if inputs is None else {"inputs": inputs})
    return export(one.model(), policy, name=one.title)._evidence("shapes")


class KeepsByLength(nn.Module):
    """A mask that is written in place, up to a length that is read as a number."""

    def forward(self, x: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        keep = torch.ones_like(x)
        for row, length in enumerate(lengths):
            keep[row, int(length.item()) :] = 0
        doubled = x * 2
        return doubled * keep


@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")
def test_the_line_that_writes_in_place_is_named_and_not_the_one_that_reads() -> None:
    inputs = {"x": torch.randn(2, 6, 8), "lengths": torch.tensor([6, 4])}
    found = reported(judge(KeepsByLength(), inputs, checks="parity")["parity"])
    lines = Path(__file__).read_text(encoding="utf-8").splitlines()
    line = next(number for number, one in enumerate(lines, 1) if "int(length.item())" in one)
    assert found["likely cause"] == f"{HERE}:{line}, in KeepsByLength"


CULPRITS = {
    "longformer": "longformer.encoder.layer.0.attention.self",
    "funnel": "funnel.encoder",
    "rwkv": "rwkv.blocks.0.attention",
    "led": "led.encoder.layers.0.self_attn.longformer_self_attn",
    "llama_dynamic_rope": "model.rotary_emb",
    "t5_at_decoder_length_1": "decoder.block.0.layer.0.SelfAttention",
    "clip_text_at_length_1": "text_model" if OLD else "encoder.layers.0.self_attn",
    "big_bird_of_many_blocks": "bert",
}


@one_in(8, "one", [one for one in wrong() if one.fails == ("shapes",)], lambda one: one.title)
def test_the_submodule_of_each_wrong_family_is_named(one: Wild) -> None:
    inputs = None if one.inputs is None else one.inputs()
    found = reported(judge(one.model(), inputs, checks="shapes", max_examples=60, seed=1)["shapes"])
    place, _, where = found["likely cause"].partition(", in ")
    assert where.endswith(CULPRITS[one.title])
    assert place.partition(":")[0].endswith(".py")
    assert int(place.partition(":")[2]) > 0


@pytest.mark.one_in(2)
@one_in(4, "one", right(), lambda one: one.title)
def test_no_submodule_is_named_for_a_right_one(one: Wild) -> None:
    evidence = evidence_of(one)
    for more in (1, 2):
        longer = {axis.name: axis.size + more for axis in evidence.subject.axes if axis.name != "batch"}
        assert origin(evidence, at(evidence.subject, longer, seed=more)) is None


class Inner(nn.Module):
    """Keeps the length that it was traced at."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.cumsum(1) / x.shape[1] if x.shape[1] < 9 else x.cumsum(1)


class Outer(nn.Module):
    """Two blocks in a list, the second of which is at fault."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(2.0))
        self.blocks = nn.ModuleList([nn.Identity(), Inner()])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for block in self.blocks:
            x = block(x) * self.scale
        return x


def test_a_container_is_in_the_path() -> None:
    line = (
        Path(__file__)
        .read_text(encoding="utf-8")
        .splitlines()
        .index("        return x.cumsum(1) / x.shape[1] if x.shape[1] < 9 else x.cumsum(1)")
    )
    assert shapes(Outer())["likely cause"] == f"{HERE}:{line + 1}, in blocks.1"


class AddsNoRows(nn.Module):
    """Pads up to eight, and so not at all at the traced size: the other trace has a step more."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(8, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.shape[0] % 2:
            x = torch.cat([x, x[-1:]])
        answer: torch.Tensor = self.inner(x)
        return answer.sum(0)


def test_a_missing_step_is_named_by_its_line() -> None:
    source = Path(__file__).read_text(encoding="utf-8").splitlines()
    line = source.index("            x = torch.cat([x, x[-1:]])") + 1
    assert shapes(AddsNoRows(), rows(2, 8)())["likely cause"] == f"{HERE}:{line}, in AddsNoRows"


@pytest.mark.parametrize(
    "model", [routing.RoutesByValue, routing.ConstantFromExample, routing.SelectsInPython, routing.StopsEarly]
)
def test_the_line_of_frozen_values_is_named_too(model: type[nn.Module]) -> None:
    found = reported(judge(model(), rows()(), checks="parity")["parity"])
    assert found["likely cause"].startswith("wrong_routing.py:")
    assert found["fix"].startswith("look for Python in forward")


def test_where_the_graph_says_nothing_torchs_own_warning_is_a_hint() -> None:
    found = reported(judge(Outer(), rows()(), checks="shapes", export=exporters.plain)["shapes"])
    assert "likely cause" not in found
    assert found["torch warned"].startswith(f"{HERE}:")
    assert "Converting a tensor to a Python boolean might cause the trace to be incorrect" in found["torch warned"]


def test_a_finished_file_has_no_line_named(tmp_path: Path) -> None:
    model = sizes.BakesBranch()
    files.fresh(model, rows()(), tmp_path / "earlier.pt")
    found = shapes(model, artifact=tmp_path / "earlier.pt")
    assert not {"likely cause", "torch warned"} & set(found)


def test_a_fault_of_a_later_call_has_no_line() -> None:
    found = reported(judge(state.CountsCalls(), rows()(), checks="parity")["parity"])
    assert not {"likely cause", "torch warned"} & set(found)


@pytest.mark.parametrize("gone", ["_jit_pass_lower_graph", "_jit_interpret_graph"])
def test_without_torchs_private_functions_no_cause_is_named(gone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "likely cause" in shapes(Outer())
    monkeypatch.delattr(torch._C, gone)
    found = shapes(Outer())
    assert "likely cause" not in found
    assert found["differs"]


def test_a_right_model_has_no_cause_at_any_size() -> None:
    policy = from_keywords({"inputs": rows()()})
    evidence = export(made.Plain(), policy, name="plain")._evidence("shapes")
    assert cause(evidence, at(evidence.subject, {})) == ()
    for batch in (1, 5):
        assert origin(evidence, at(evidence.subject, {"batch": batch})) is None


def test_a_wrong_model_has_a_cause_at_the_sizes_where_it_is_wrong() -> None:
    evidence = export(sizes.BakesBranch(), from_keywords({"inputs": rows()()}), name="branch")._evidence("shapes")
    assert origin(evidence, at(evidence.subject, {"dim1": 10})) is None
    assert origin(evidence, at(evidence.subject, {"dim1": 11})) is not None
