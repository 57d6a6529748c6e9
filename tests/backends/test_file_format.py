"""Proves that a backend with its own file format goes through the whole pipeline, which knows no format itself."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from pytest_tsexport import ArtifactError, InputsError, Outcome, PolicyError, backends
from pytest_tsexport.backends.jit import Jit
from pytest_tsexport.config.keywords import from_keywords
from pytest_tsexport.exporting.artifact import Runner, open_file
from pytest_tsexport.pipeline import Export, export
from pytest_tsexport.subjects.state import Snapshot
from pytest_tsexport.testing import Unavailable, files, judge
from pytest_tsexport.testing import wrong_exports as made
from pytest_tsexport.testing.specimen import ids, rows, two_rows
from pytest_tsexport.verdict import Verdict
from tests.backends.fx_format import Fx, FxFormat, Loaded, symbolic_trace
from tests.meta.rules import Fault, must_hold
from tests.meta.sources import PACKAGE, Source, modules

QUICK: Mapping[str, Any] = {"max_examples": 20}


class Offset(nn.Module):
    """Adds a hundredth to the output of the model."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.model(x)
        return answer + 0.01


class Branches(made.Plain):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x) if bool(x.sum() > 0) else x


def exported(returned: object, *, backend: Fx | None = None, **keywords: Any) -> Export:
    return export(returned, from_keywords({**QUICK, **keywords}), name="it", backend=backend or Fx())


def outcomes(verdicts: Mapping[str, Verdict]) -> dict[str, str]:
    return {check: one.outcome.value for check, one in verdicts.items()}


@pytest.mark.slow
def test_every_check_judges_a_file_of_another_format() -> None:
    found = judge(made.TiedHead(), ids()(), backend=Fx(), **QUICK)
    assert outcomes(found) == {
        "trace": "passed",
        "tied_weights": "passed",
        "parity": "passed",
        "shapes": "passed",
        "padding": "passed",
        "round_trip": "passed",
    }


class Reversed(nn.Module):
    """`TwoInputs` with its arguments in the other order."""

    def forward(self, y: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        return x - 2 * y


@pytest.mark.slow
@pytest.mark.parametrize("exported_as", [made.TwoInputs, Reversed])
def test_inputs_are_in_the_order_of_the_file(exported_as: type[nn.Module], tmp_path: Path) -> None:
    FxFormat().save(symbolic_trace(exported_as()), tmp_path / "it", "")
    checks = ["parity", "round_trip"]
    found = judge(made.TwoInputs(), two_rows()(), backend=Fx(), artifact=tmp_path / "it", checks=checks, **QUICK)
    assert outcomes(found) == {"parity": "passed", "round_trip": "passed"}


@pytest.mark.slow
def test_a_wrong_file_of_another_format_is_found() -> None:
    found = judge(made.Plain(), rows()(), backend=Fx(wrap=Offset), checks=["trace", "parity"], **QUICK)
    assert outcomes(found) == {"trace": "passed", "parity": "failed"}


def test_the_file_and_its_copy_have_the_suffix_of_the_format(tmp_path: Path) -> None:
    policy = from_keywords({**QUICK, "inputs": rows()()})
    policy = replace(policy, options=replace(policy.options, export_dir=tmp_path))
    one = export(made.Plain(), policy, name="it", backend=Fx())
    assert one.path.name == "it-fx.fx"
    assert [path.name for path in tmp_path.iterdir()] == ["it-fx.unjudged.fx"]
    assert isinstance(one.module, Loaded)


def test_what_the_format_saves_counts_as_exported_already() -> None:
    model = made.Plain().eval()
    one = exported(symbolic_trace(model), reference=model, inputs=rows()())
    assert one.path.name == "returned.fx"
    assert one.check("trace").headline == "loads"
    assert one.check("parity").outcome is Outcome.PASSED
    with pytest.raises(InputsError, match=r"^a GraphModule is exported already; say with"):
        exported(symbolic_trace(model), inputs=rows()())


def test_a_finished_file_is_opened_by_the_format_of_its_backend(tmp_path: Path) -> None:
    model = made.Plain().eval()
    FxFormat().save(symbolic_trace(model), tmp_path / "shipped", "")
    one = exported(model, inputs=rows()(), artifact=tmp_path / "shipped")
    assert one.check("parity").outcome is Outcome.PASSED


def test_a_file_of_another_format_is_refused_in_the_words_of_the_format(tmp_path: Path) -> None:
    files.state_dict(made.Plain(), rows()(), tmp_path / "it.pt")
    files.text(made.Plain(), rows()(), tmp_path / "text")
    with pytest.raises(ArtifactError, match=r"it\.pt cannot be loaded: torch\.fx: KeyError: 'graph'$"):
        exported(made.Plain(), inputs=rows()(), artifact=tmp_path / "it.pt")
    with pytest.raises(ArtifactError, match=r"text is not a torch\.fx file$"):
        exported(made.Plain(), inputs=rows()(), artifact=tmp_path / "text")


def test_a_format_without_a_size_guard_says_so() -> None:
    found = judge(made.Plain(), rows()(), backend=Fx(), guard=True, checks="trace")["trace"]
    assert (found.outcome, found.headline) == (
        Outcome.FAILED,
        "a torch.fx file has no size guard; leave guard=True out",
    )


def test_a_failed_export_is_explained_by_the_format() -> None:
    found = judge(Branches(), rows()(), backend=Fx(), checks="trace")["trace"]
    rows_of = dict(found.rows)
    assert rows_of["likely cause"] == "torch.fx cannot follow an if on values"
    assert rows_of["fix"] == "write it with torch.where"
    assert rows_of["torch says"].startswith("torch.fx: TraceError: symbolically traced variables")


def test_what_a_file_raises_is_put_in_one_line_by_the_format(tmp_path: Path) -> None:
    class Fails(made.Plain):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x @ torch.ones(9, 9)

    subject = exported(made.Plain(), inputs=rows()()).subject
    FxFormat().save(symbolic_trace(Fails()), tmp_path / "fails", "")
    (answer,) = Runner(open_file(tmp_path / "fails", FxFormat()), subject).case(subject.inputs, 1)
    assert answer.raised is not None
    assert answer.raised.startswith("torch.fx: RuntimeError: ")


@pytest.mark.slow
def test_a_file_that_does_not_load_elsewhere_is_described_by_the_format() -> None:
    class NeedsPytest(FxFormat):
        loader = "def load(path):\n    import pytest_tsexport\n"

    found = judge(made.Plain(), rows()(), backend=Fx(format=NeedsPytest()), checks="round_trip", **QUICK)["round_trip"]
    assert found.outcome is Outcome.FAILED
    assert dict(found.rows)["elsewhere"] == (
        "torch.fx: ModuleNotFoundError: No module named 'pytest_tsexport' (this process has torch alone)"
    )


def test_the_format_says_whether_a_call_left_state(tmp_path: Path) -> None:
    class Differs(Snapshot):
        def differs(self, module: nn.Module) -> bool:
            return True

    class KeepsState(FxFormat):
        def snapshot(self, module: nn.Module) -> Snapshot:
            return Differs((), (), None)

    subject = exported(made.Plain(), inputs=rows()()).subject
    FxFormat().save(symbolic_trace(made.Plain()), tmp_path / "it", "")
    for file_format, is_kept in ((FxFormat(), True), (KeepsState(), False)):
        runner = Runner(open_file(tmp_path / "it", file_format), subject)
        module = runner.module
        runner.case(subject.inputs, 1)
        assert (runner.module is module) is is_kept


def test_the_manifest_and_the_operators_come_from_the_format() -> None:
    one = exported(made.TwoOutputs(), inputs=rows()())
    artifact = open_file(one.path, FxFormat())
    assert artifact.manifest["backend"] == "fx"
    assert artifact.sizes == {"x": (2, 7)}
    assert {"tanh", "sin"} <= artifact.format.inspector.operators(artifact.load())


def test_a_backend_without_a_format_writes_torchscript() -> None:
    assert backends.format_of(Unavailable()) is backends.TORCHSCRIPT
    assert backends.format_of(Jit()).suffix == ".pt"
    assert backends.format_of(Fx()).suffix == ".fx"


def test_a_format_that_is_not_one_is_refused_in_a_sentence() -> None:
    with pytest.raises(PolicyError, match=r"^the format of backend fx is '\.fx'; give a FileFormat$"):
        backends.found(Fx(format=".fx"))  # type: ignore[arg-type]


ASKS_THE_FORMAT = (
    "pipeline",
    "export",
    "checks",
    "diagnosis",
    "comparison",
    "runtimes",
    "exporting",
    "cases",
    "tensors",
)
READS_MODULES = {"tensors/script_modules.py"}
"""It reads the parts of a *model* that torch has compiled already; what a file is does not matter to it."""
KNOWLEDGE = re.compile(r"torch\.jit|ScriptModule|inlined_graph|aten::|prim::|\bops\.|\bzipfile|\.pt$")


def is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def knowledge(module: Source) -> Iterator[Fault]:
    """What a module's code says of TorchScript files; prose may name it."""
    prose = {id(one.value) for one in module.nodes if isinstance(one, ast.Expr) and is_text(one.value)}
    for node in module.nodes:
        if isinstance(node, (ast.Constant, ast.Attribute, ast.Name, ast.Import, ast.ImportFrom)):
            text = node.value if isinstance(node, ast.Constant) else ast.unparse(node)
            if id(node) not in prose and isinstance(text, str) and KNOWLEDGE.search(text):
                yield node.lineno, f"{text!r} is about TorchScript files: ask the file format"


def test_nothing_outside_the_backends_knows_that_a_file_is_torchscript() -> None:
    names = {path: path.relative_to(PACKAGE) for path in modules()}
    outside = {path: name for path, name in names.items() if name.parts[0].removesuffix(".py") in ASKS_THE_FORMAT}
    assert {name.parts[0].removesuffix(".py") for name in outside.values()} == set(ASKS_THE_FORMAT)
    must_hold(knowledge, [path for path, name in outside.items() if name.as_posix() not in READS_MODULES])


@pytest.mark.parametrize(
    ("source", "is_found"),
    [
        ("torch.jit.load(path)", True),
        ("isinstance(module, torch.jit.ScriptModule)", True),
        ("module.inlined_graph", True),
        ("import zipfile", True),
        ("from torch.jit._trace import TracerWarning", True),
        ('path = f"{name}.pt"', True),
        ('kind.startswith("aten::")', True),
        ('"""Says what torch.jit.trace does."""', False),
        ("torch.no_grad()", False),
    ],
)
def test_the_rule_finds_what_it_is_for(source: str, *, is_found: bool) -> None:
    assert {line for line, _ in knowledge(Source("x.py", f"\n{source}"))} == ({2} if is_found else set())
