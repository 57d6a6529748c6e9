"""Proves that `interface` sees each change that breaks a caller of the file or of its model, and no other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import transformers
from torch import nn
from transformers import DistilBertConfig, DistilBertForSequenceClassification

from pytest_tsexport.config.baseline import Baseline
from pytest_tsexport.config.keywords import from_keywords
from pytest_tsexport.pipeline import export
from pytest_tsexport.reports.terminal import failure_text
from pytest_tsexport.testing import exporters, files, wrappers
from pytest_tsexport.testing.right_sizes import SqueezesAnySize
from pytest_tsexport.testing.specimen import Inputs
from pytest_tsexport.verdict import Outcome, Verdict

COMMITTED = Path(__file__).parent / "baselines"
NAME = "test_export.py::test_ranker"
X = {"x": torch.linspace(-1, 1, 14).view(2, 7)}
XY = {**X, "y": torch.linspace(-2, 1, 14).view(2, 7)}


class Ranker(nn.Module):
    """The one that callers know; the others differ from it in one point each."""

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> dict[str, Any]:
        return {"logits": x - 2 * y, "pooled": x.mean(1), "states": (x, y)}


class InputsSwapped(nn.Module):
    def forward(self, y: torch.Tensor, x: torch.Tensor) -> dict[str, Any]:
        return Ranker()(x, y)  # type: ignore[no-any-return]


class InputRenamed(nn.Module):
    def forward(self, x: torch.Tensor, z: torch.Tensor) -> dict[str, Any]:
        return Ranker()(x, z)  # type: ignore[no-any-return]


class ArgumentInserted(nn.Module):
    def forward(self, x: torch.Tensor, scale: float = 1.0, y: torch.Tensor | None = None) -> dict[str, Any]:
        return Ranker()(x, y)  # type: ignore[no-any-return]


class OutputsReordered(nn.Module):
    def forward(self, x: torch.Tensor, y: torch.Tensor) -> dict[str, Any]:
        leaves = Ranker()(x, y)
        return {name: leaves[name] for name in ("pooled", "logits", "states")}


class OutputRenamed(nn.Module):
    def forward(self, x: torch.Tensor, y: torch.Tensor) -> dict[str, Any]:
        leaves = Ranker()(x, y)
        return {"scores": leaves.pop("logits"), **leaves}


class OutputDropped(nn.Module):
    def forward(self, x: torch.Tensor, y: torch.Tensor) -> dict[str, Any]:
        leaves = Ranker()(x, y)
        return {name: leaves[name] for name in ("logits", "states")}


class OutputUnpacked(nn.Module):
    def forward(self, x: torch.Tensor, y: torch.Tensor) -> dict[str, Any]:
        leaves = Ranker()(x, y)
        first, second = leaves.pop("states")
        return {**leaves, "states": first, "more": second}


class OutputInDouble(nn.Module):
    def forward(self, x: torch.Tensor, y: torch.Tensor) -> dict[str, Any]:
        leaves = Ranker()(x, y)
        return {**leaves, "pooled": leaves["pooled"].double()}


class OutputOfOtherRank(nn.Module):
    def forward(self, x: torch.Tensor, y: torch.Tensor) -> dict[str, Any]:
        leaves = Ranker()(x, y)
        return {**leaves, "pooled": leaves["pooled"].unsqueeze(1)}


class MoreThatMayBeLeftOut(nn.Module):
    def forward(
        self, x: torch.Tensor, y: torch.Tensor, scale: float = 1.0, *, again: bool = False, **more: object
    ) -> dict[str, Any]:
        return Ranker()(x, y)  # type: ignore[no-any-return]


class Labelled(nn.Module):
    """Its config is that of a Transformers model, as far as labels go."""

    def __init__(self, *labels: str) -> None:
        super().__init__()
        self.config = SimpleNamespace(id2label=dict(enumerate(labels)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * 2


def judged(baseline: Baseline | None, model: nn.Module, inputs: Inputs | None = None, **keywords: Any) -> Verdict:
    given = {} if inputs is None else {"inputs": inputs}
    policy = from_keywords({"checks": "interface", **given, **keywords})
    policy = replace(policy, options=replace(policy.options, seed=0, baseline=baseline))
    made = export(model, policy, name=NAME)
    try:
        return made.check("interface")
    finally:
        made.close()


@pytest.fixture
def baseline(tmp_path: Path) -> Baseline:
    return Baseline(tmp_path / "ts-baseline.json", typed="ts-baseline.json")


def promise(baseline: Baseline, model: nn.Module, inputs: Inputs | None = None, **keywords: Any) -> Verdict:
    """What `--ts-baseline` does at the end of a run."""
    found = judged(replace(baseline, writes=True), model, inputs, **keywords)
    assert found.interface is not None
    baseline.write({NAME: {"jit": found.interface}})
    return found


def broken(baseline: Baseline, model: nn.Module, inputs: Inputs | None = None, **keywords: Any) -> dict[str, str]:
    found = judged(baseline, model, inputs, **keywords)
    assert (found.outcome, found.headline) == (Outcome.FAILED, "not the interface that callers were promised")
    first, *rows, last = found.rows
    assert first == ("promised in", "ts-baseline.json")
    assert last == (
        "fix",
        "keep the promise in a wrapper, or tell callers and run with --ts-baseline=ts-baseline.json",
    )
    return dict(rows)


def test_what_is_promised(baseline: Baseline) -> None:
    found = promise(baseline, Ranker(), XY)
    assert (found.outcome, found.judged, found.planned) == (Outcome.PASSED, 1, 1)
    assert found.interface == {
        "forward": ["x", "y"],
        "inputs": ["x: float32 of rank 2", "y: float32 of rank 2"],
        "outputs": [
            "0 = logits: float32 of rank 2",
            "1 = pooled: float32 of rank 1",
            "2 = states.0: float32 of rank 2",
            "3 = states.1: float32 of rank 2",
        ],
        "structure": ["the output: tuple"],
    }
    found = judged(baseline, Ranker(), XY)
    assert (found.outcome, found.headline) == (Outcome.PASSED, "as promised in ts-baseline.json")


@pytest.mark.parametrize(
    ("now", "rows"),
    [
        (
            InputsSwapped,
            {
                "argument 1": "was x, is y",
                "argument 2": "was y, is x",
                "input 1": "was x: float32 of rank 2, is y: float32 of rank 2",
                "input 2": "was y: float32 of rank 2, is x: float32 of rank 2",
            },
        ),
        (ArgumentInserted, {"argument 2": "was y, is scale"}),
        (
            OutputsReordered,
            {
                "output 1": "was 0 = logits: float32 of rank 2, is 0 = pooled: float32 of rank 1",
                "output 2": "was 1 = pooled: float32 of rank 1, is 1 = logits: float32 of rank 2",
            },
        ),
        (OutputRenamed, {"output 1": "was 0 = logits: float32 of rank 2, is 0 = scores: float32 of rank 2"}),
        (
            OutputDropped,
            {
                "output 2": "was 1 = pooled: float32 of rank 1, is 1 = states.0: float32 of rank 2",
                "output 3": "was 2 = states.0: float32 of rank 2, is 2 = states.1: float32 of rank 2",
                "output 4": "was 3 = states.1: float32 of rank 2, is gone",
            },
        ),
        (
            OutputUnpacked,
            {
                "output 3": "was 2 = states.0: float32 of rank 2, is 2 = states: float32 of rank 2",
                "output 4": "was 3 = states.1: float32 of rank 2, is 3 = more: float32 of rank 2",
            },
        ),
        (OutputInDouble, {"output 2": "1 = pooled was float32 of rank 1, is float64 of rank 1"}),
        (OutputOfOtherRank, {"output 2": "1 = pooled was float32 of rank 1, is float32 of rank 2"}),
    ],
)
def test_what_breaks_a_caller_is_red(baseline: Baseline, now: type[nn.Module], rows: dict[str, str]) -> None:
    promise(baseline, Ranker(), XY)
    assert broken(baseline, now(), XY) == rows


def test_a_renamed_input_is_red(baseline: Baseline) -> None:
    promise(baseline, Ranker(), XY)
    assert broken(baseline, InputRenamed(), {"x": XY["x"], "z": XY["y"]}) == {
        "argument 2": "was y, is z",
        "input 2": "was y: float32 of rank 2, is z: float32 of rank 2",
    }


@pytest.mark.parametrize("traced", [True, False])
def test_an_input_of_another_dtype_is_red(baseline: Baseline, *, traced: bool) -> None:
    keywords = {} if traced else {"export": exporters.frozen}
    promise(baseline, nn.Embedding(9, 4), {"input": torch.ones(2, 7, dtype=torch.int64)}, **keywords)
    now = {"input": torch.ones(2, 7, dtype=torch.int32)}
    assert broken(baseline, nn.Embedding(9, 4), now, **keywords) == {
        "input 1": "input was int64 of rank 2, is int32 of rank 2"
    }


def test_labels_in_another_order_are_red(baseline: Baseline) -> None:
    promise(baseline, Labelled("NEGATIVE", "POSITIVE"), X)
    assert judged(baseline, Labelled("NEGATIVE", "POSITIVE"), X).outcome is Outcome.PASSED
    assert broken(baseline, Labelled("POSITIVE", "NEGATIVE"), X) == {
        "label 0": "was NEGATIVE, is POSITIVE",
        "label 1": "was POSITIVE, is NEGATIVE",
    }
    assert broken(baseline, Labelled("LABEL_0", "LABEL_1"), X) == {
        "label 0": "was NEGATIVE, is gone",
        "label 1": "was POSITIVE, is gone",
    }


@pytest.mark.parametrize(
    ("model", "inputs", "keywords"),
    [
        (lambda: nn.Linear(7, 3), {"input": torch.ones(5, 7)}, {}),
        (lambda: nn.Linear(9, 1), {"input": torch.ones(2, 9)}, {"shapes": "dynamic"}),
        (lambda: nn.Linear(7, 3), {"input": torch.ones(2, 7)}, {"export": exporters.careful}),
        (lambda: nn.Linear(7, 3), {"input": torch.ones(2, 7)}, {"export": exporters.frozen}),
    ],
    ids=["other weights and batch", "other sizes", "another exporter", "frozen"],
)
def test_sizes_weights_and_ways_of_making_it_are_no_promise(
    baseline: Baseline, model: Callable[[], nn.Module], inputs: Inputs, keywords: dict[str, Any]
) -> None:
    written = nn.Linear(7, 3)
    promise(
        baseline, written, {"input": torch.ones(2, 7)}, **({"export": exporters.plain} if "export" in keywords else {})
    )
    assert judged(baseline, model(), inputs, **keywords).outcome is Outcome.PASSED


def test_what_callers_may_leave_out_breaks_none(baseline: Baseline) -> None:
    promise(baseline, Ranker(), XY)
    assert judged(baseline, MoreThatMayBeLeftOut(), XY).outcome is Outcome.PASSED
    promise(baseline, MoreThatMayBeLeftOut(), XY)
    assert judged(baseline, Ranker(), XY).rows[1:-1] == (
        ("argument 3", "was scale, is gone"),
        ("keyword", "was **kwargs, is gone"),
        ("keyword", "was again, is gone"),
    )


def test_a_mapping_has_no_order(baseline: Baseline) -> None:
    def answers(*names: str) -> Callable[[nn.Module], nn.Module]:
        class Named(wrappers.Wrapper):
            def forward(self, x: torch.Tensor, y: torch.Tensor) -> dict[str, torch.Tensor]:
                leaves = self.model(x, y)
                return {name: leaves[name] for name in names}

        return Named

    def export_as(*names: str) -> dict[str, Any]:
        def export(model: nn.Module, inputs: Inputs, path: Path) -> None:
            with files.quiet():
                traced = torch.jit.trace(answers(*names)(model).eval(), tuple(inputs.values()), strict=False)
                torch.jit.save(traced, str(path))

        return {"export": export}

    found = promise(baseline, Ranker(), XY, **export_as("pooled", "logits"))
    assert found.interface is not None
    assert found.interface["outputs"] == ["logits: float32 of rank 2", "pooled: float32 of rank 1"]
    assert judged(baseline, Ranker(), XY, **export_as("logits", "pooled")).outcome is Outcome.PASSED
    assert broken(baseline, Ranker(), XY, **export_as("logits")) == {
        "output 2": "was pooled: float32 of rank 1, is gone"
    }


def test_a_finished_file_is_asked_for_its_own_names(baseline: Baseline, tmp_path: Path) -> None:
    class Renamed(wrappers.Wrapper):
        def forward(self, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
            answer: torch.Tensor = self.model(first, second)["logits"]
            return answer

    with files.quiet():
        exporters.plain(Renamed(Ranker()).eval(), XY, tmp_path / "earlier.pt")
    found = promise(baseline, Ranker(), XY, artifact=tmp_path / "earlier.pt")
    assert found.interface == {
        "forward": ["x", "y"],
        "inputs": ["first: float32 of rank 2", "second: float32 of rank 2"],
        "outputs": ["output: float32 of rank 2"],
        "structure": ["the output: tensor"],
    }


def test_a_scripted_file_may_take_more(baseline: Baseline) -> None:
    class Scaled(nn.Module):
        def forward(self, x: torch.Tensor, by: float = 2.0) -> torch.Tensor:
            return x * by

    with files.quiet():
        scripted = torch.jit.script(Scaled())
    policy = from_keywords({"inputs": X, "reference": SqueezesAnySize(), "checks": "interface"})
    policy = replace(policy, options=replace(policy.options, baseline=replace(baseline, writes=True)))
    found = export(scripted, policy, name=NAME).check("interface")
    assert found.interface is not None
    assert found.interface["inputs"] == ["x: float32 of rank 2", "by: float=..."]


def test_a_file_that_raises_promises_nothing(baseline: Baseline) -> None:
    class Raises(wrappers.Wrapper):
        def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
            return x[:, 11] * y[:, 11]

    def export(model: nn.Module, inputs: Inputs, path: Path) -> None:
        exporters.plain(Raises(model), {name: torch.ones(2, 12) for name in inputs}, path)

    found = judged(replace(baseline, writes=True), Ranker(), XY, export=export)
    assert (found.outcome, found.interface) == (Outcome.FAILED, None)
    assert found.headline.startswith("the file raises on its own example inputs, so it has no interface to compare: ")


def test_a_file_that_asks_for_another_input_promises_nothing(baseline: Baseline) -> None:
    class Scales(wrappers.Wrapper):
        def forward(self, x: torch.Tensor, y: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
            return x * scale

    def export(model: nn.Module, inputs: Inputs, path: Path) -> None:
        exporters.plain(Scales(model), {**inputs, "scale": torch.ones(())}, path)

    found = judged(replace(baseline, writes=True), Ranker(), XY, export=export)
    assert (found.outcome, found.interface) == (Outcome.FAILED, None)
    assert found.headline.startswith("the file also takes scale (Tensor), and no input has that name; ")


def test_without_a_baseline_it_is_red_and_says_how_to_write_one() -> None:
    found = judged(None, Ranker(), XY)
    assert failure_text(found) == (
        "jit-interface: there is no baseline to compare with; "
        "write one with --ts-baseline=ts-baseline.json and commit it"
    )


def test_a_test_without_an_entry_is_red_and_says_how_to_add_one(baseline: Baseline) -> None:
    baseline.write({NAME: {"neuron": {"forward": ["x", "y"]}}, "another": {"jit": {"forward": ["x"]}}})
    assert failure_text(judged(baseline, Ranker(), XY)) == (
        "jit-interface: ts-baseline.json promises nothing for this test on jit; "
        "look at what it takes and gives, and add it with --ts-baseline=ts-baseline.json"
    )


def test_writing_is_green_and_shows_what_changes(baseline: Baseline) -> None:
    found = promise(baseline, Ranker(), XY)
    assert (found.headline, found.notes) == ("written to ts-baseline.json for the first time", ())
    found = promise(baseline, Ranker(), XY)
    assert (found.headline, found.notes) == ("as promised in ts-baseline.json already", ())
    found = promise(baseline, OutputRenamed(), XY)
    assert (found.outcome, found.headline) == (Outcome.PASSED, "written to ts-baseline.json with 1 change")
    assert found.notes == ("output 1: was 0 = logits: float32 of rank 2, is 0 = scores: float32 of rank 2",)


def test_a_verdict_is_builtin_types_alone(baseline: Baseline) -> None:
    leaves = promise(baseline, Ranker(), XY).to_dict()["interface"]
    assert type(leaves) is dict
    assert {type(lines) for lines in leaves.values()} == {list}


def test_distilbert_changed_its_third_argument() -> None:
    """The file was written with Transformers 4.57.6."""
    config = DistilBertConfig(
        vocab_size=99, dim=32, n_layers=2, n_heads=4, hidden_dim=64, id2label={0: "NEGATIVE", 1: "POSITIVE"}
    )
    baseline = Baseline(COMMITTED / "distilbert-4.57.json", typed="ts-baseline.json")
    model = DistilBertForSequenceClassification(config)
    if transformers.__version__.startswith("4."):
        assert judged(baseline, model).outcome is Outcome.PASSED
        return
    assert broken(baseline, model) == {
        "argument 3": "was head_mask, is inputs_embeds",
        "argument 4": "was inputs_embeds, is labels",
        "argument 5": "was labels, is position_ids",
        "argument 6": "was output_attentions, is gone",
        "argument 7": "was output_hidden_states, is gone",
        "argument 8": "was return_dict, is gone",
    }
    assert len(failure_text(judged(baseline, model)).splitlines()) <= 9
