"""Proves that `parity` finds what an export answers wrongly at the traced size, and reports where."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from pytest_tsexport.config.keywords import from_keywords
from pytest_tsexport.errors import InputsError
from pytest_tsexport.exporting.context import Callbacks
from pytest_tsexport.pipeline import export
from pytest_tsexport.testing import Faulty, LowPrecision, Offset, exporters, files, judge, right_sizes, wrappers
from pytest_tsexport.testing import wrong_exports as made
from pytest_tsexport.testing import wrong_routing as routing
from pytest_tsexport.testing import wrong_state as state
from pytest_tsexport.testing import wrong_values as values
from pytest_tsexport.testing.right_sizes import EagerAloneRaises
from pytest_tsexport.testing.specimen import Inputs, ids, masked_ids, rows
from pytest_tsexport.verdict import Outcome, Verdict


def verdict(model: nn.Module, inputs: Inputs | None = None, **keywords: Any) -> Verdict:
    given = rows()() if inputs is None else inputs
    return judge(model, given, checks="parity", **{"max_examples": 50, **keywords})["parity"]


def failure(found: Verdict) -> dict[str, str]:
    assert found.outcome is Outcome.FAILED
    return {"headline": found.headline, **dict(found.rows)}


def test_a_right_one() -> None:
    found = verdict(made.Plain())
    assert (found.outcome, found.headline) == (Outcome.PASSED, "equals eager at the traced size")
    assert 10 <= found.judged <= found.planned
    assert (found.seed, found.not_covered) == (0, ())
    assert found.worst is None or found.worst.difference == 0.0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "inputs", "export", "headline", "differs"),
    [
        (made.TwoOutputs, rows(), wrappers.SwapsOutputs, "differs from eager at the traced size", "off by"),
        (
            made.TwoOutputs,
            rows(),
            wrappers.DropsOutput,
            "has other outputs than eager",
            "eager returns 0, 1; the artifact returns output",
        ),
        (
            made.Plain,
            rows(),
            wrappers.InDouble,
            "differs from eager at the traced size",
            "output is float64, eager's is float32",
        ),
        (
            made.Plain,
            rows(),
            wrappers.OverwritesInput,
            "overwrites its inputs",
            "the artifact overwrites its input x, eager leaves it alone",
        ),
        (
            made.Plain,
            rows(),
            wrappers.NaNForNegative,
            "differs from eager at the traced size",
            "the artifact is NaN at [0, ",
        ),
        (
            values.MaskedMean,
            masked_ids(),
            wrappers.IgnoresMask,
            "differs from eager at the traced size",
            "off by",
        ),
    ],
)
def test_what_an_exporter_broke_is_reported(
    model: type[nn.Module], inputs: Callable[[], Inputs], export: type[nn.Module], headline: str, differs: str
) -> None:
    rows = failure(verdict(model(), inputs(), export=exporters.instead(export)))
    assert rows["headline"] == headline
    assert differs in rows["differs"]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("model", [state.CountsCalls, state.OnThirdCall, state.CountsInBuffer])
def test_state_shows_at_a_later_call(model: type[nn.Module], seed: int) -> None:
    rows = failure(judge(model(), self_inputs(), checks="parity", max_examples=10, seed=seed)["parity"])
    if model is not state.CountsInBuffer:
        call = 2 if model is state.CountsCalls else 3
        assert rows["differs"].startswith(f"on call {call} with the same inputs: ")


def self_inputs() -> Inputs:
    return rows()()


@pytest.mark.one_in(3)
@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("model", [values.OneIdInFifty, values.LastRow])
def test_one_id_in_fifty_is_found_at_every_seed(model: type[nn.Module], seed: int) -> None:
    inputs = ids(2, 7, high=36)()
    found = judge(model(), inputs, checks="parity", seed=seed)["parity"]
    assert found.outcome is Outcome.FAILED


@pytest.mark.slow
@pytest.mark.parametrize(
    ("by", "outcome"), [(1e-8, Outcome.PASSED), (1e-5, Outcome.FAILED), (1e-3, Outcome.FAILED), (1.0, Outcome.FAILED)]
)
def test_a_backend_may_differ_by_noise_and_by_no_more(by: float, outcome: Outcome) -> None:
    torch.manual_seed(0)  # with one draw of weights in 150, an element has less noise than the smallest offset
    backend = Faulty("offset", lambda model: Offset(model, by))
    assert verdict(made.Plain(), backend=backend).outcome is outcome


@pytest.mark.slow
def test_a_backend_that_computes_in_less_precision_is_found() -> None:
    assert verdict(made.Plain(), backend=Faulty("bf16", LowPrecision)).outcome is Outcome.FAILED


@pytest.mark.slow
def test_the_users_own_tolerance_is_the_one_that_counts() -> None:
    backend = Faulty("offset", lambda model: Offset(model, 0.01))
    assert verdict(made.Plain(), backend=backend, rtol=0.0, atol=0.02).outcome is Outcome.PASSED
    assert verdict(made.Plain(), backend=backend, rtol=0.0, atol=0.005).outcome is Outcome.FAILED
    assert verdict(made.Plain(), backend=backend, rtol={"output": 0.0}, atol={"output": 0.02}).outcome is Outcome.PASSED


@pytest.mark.slow
def test_another_reference_is_the_one_to_be_faithful_to() -> None:
    reference = made.Plain()
    half = made.Plain()
    half.load_state_dict(reference.state_dict())
    with torch.no_grad():
        half.linear.weight.add_(0.05)
    assert verdict(half).outcome is Outcome.PASSED
    assert verdict(half, reference=reference).outcome is Outcome.FAILED
    assert verdict(half, reference=reference, rtol=0.0, atol=2.0).outcome is Outcome.PASSED


@pytest.mark.slow
def test_a_metric_is_what_is_looked_at() -> None:
    reference = made.Plain()
    louder = made.Plain()
    louder.load_state_dict(reference.state_dict())
    with torch.no_grad():
        louder.linear.weight.mul_(3)
        louder.linear.bias.mul_(3)
    assert verdict(louder, reference=reference).outcome is Outcome.FAILED
    assert verdict(louder, reference=reference, metric="argmax").outcome is Outcome.PASSED
    assert verdict(louder, reference=reference, metric={"output": "cosine"}).outcome is Outcome.PASSED
    with pytest.raises(InputsError, match="metric names 'logits'; use one of output"):
        verdict(louder, reference=reference, metric={"logits": "argmax"})


@pytest.mark.slow
def test_a_bf16_file_is_faithful_to_a_float32_reference_and_a_wrong_one_is_not() -> None:
    reference = made.Plain()
    half = made.Plain()
    half.load_state_dict(reference.state_dict())
    given = {"x": torch.randn(2, 7).bfloat16()}

    class Half(nn.Module):
        def __init__(self, model: nn.Module) -> None:
            super().__init__()
            self.model = model

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            answer: torch.Tensor = self.model(x)
            return answer

    class Single(Half):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return super().forward(x.float())

    found = judge(Half(half.bfloat16()), given, checks="parity", reference=Single(reference))["parity"]
    assert found.outcome is Outcome.PASSED
    with torch.no_grad():
        half.linear.bias.add_(1.0)
    found = judge(Half(half), given, checks="parity", reference=Single(reference))["parity"]
    assert found.outcome is Outcome.FAILED


@pytest.mark.slow
def test_a_stale_file_is_named_as_the_cause(tmp_path: Path) -> None:
    model = made.Plain()
    files.stale(model, rows()(), tmp_path / "earlier.pt")
    found = failure(verdict(model, artifact=tmp_path / "earlier.pt"))
    assert found["likely cause"].startswith("the file was exported from other weights: linear.weight differs by up to")
    assert found["fix"] == "export it again from the model that this test returns"


def test_an_artifact_that_asks_for_another_input_is_refused_in_a_sentence() -> None:
    found = verdict(made.Plain(), export=exports_with_scale)
    assert (found.outcome, found.headline) == (
        Outcome.FAILED,
        "the file also takes scale (Tensor), and no input has that name; Plain.forward does not take it either: "
        "return a model that takes what the file takes",
    )


def exports_with_scale(model: nn.Module, inputs: Inputs, path: Path) -> None:
    exporters.plain(wrappers.AddsInput(model), {**inputs, "scale": torch.ones(())}, path)


def test_an_artifact_that_renames_its_inputs_is_called_in_their_order() -> None:
    class Renamed(wrappers.Wrapper):
        def forward(self, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
            answer: torch.Tensor = self.model(first, second)
            return answer

    inputs = {"x": rows()()["x"], "y": torch.linspace(-1, 2, 14).view(2, 7)}
    assert verdict(made.TwoInputs(), inputs, export=exporters.instead(Renamed)).outcome is Outcome.PASSED


def test_inputs_that_eager_never_accepts_are_not_green() -> None:
    class RefusesDrawn(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if not torch.equal(x, rows()()["x"]):
                raise ValueError("only the example")
            return x * 2

    found = verdict(RefusesDrawn())
    assert found.outcome is Outcome.FAILED


def test_a_vacuous_subject_is_refused() -> None:
    assert failure(verdict(made.ZeroInit()))["headline"].startswith("nothing to compare: its outputs do not move")


def test_a_flat_output_is_reported_as_not_looked_at() -> None:
    class Half(nn.Module):
        def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
            return {"moves": x * 2, "stays": torch.ones_like(x)}

    found = verdict(Half())
    assert found.outcome is Outcome.PASSED
    assert found.not_covered == ("stays: it never moved, so its values say nothing",)


@pytest.mark.slow
@pytest.mark.parametrize(("share", "reported"), [(0.0199, False), (0.0201, True), (0.5, True)])
def test_a_tolerance_that_hides_much_of_the_spread_is_reported(share: float, *, reported: bool) -> None:
    model = made.Plain()
    spread = export(model, from_keywords({"inputs": rows()()}), name="it")._evidence("parity").spread.by_place["output"]
    allowed = share * float(spread.min())
    backend = Faulty("offset", lambda model: Offset(model, allowed / 2))
    found = verdict(model, backend=backend, rtol=0.0, atol=allowed)
    line = f"output: differences below {share:.0%} of the spread at their place"
    assert found.not_covered == ((line,) if reported else ())
    assert verdict(model, rtol=0.0, atol=allowed).not_covered == ()


@pytest.mark.slow
def test_why_there_was_no_wider_type_is_reported_once_it_was_needed() -> None:
    class InSingle(nn.Module):
        """Refuses another type than float32."""

        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(7, 7)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if x.dtype != torch.float32:
                raise TypeError("float32 alone")
            answer: torch.Tensor = self.linear(x)
            return answer

    found = verdict(InSingle(), backend=Faulty("offset", lambda model: Offset(model, 1e-2)))
    assert found.outcome is Outcome.FAILED
    assert found.not_covered == ("noise was measured without a wider type: TypeError: float32 alone",)
    assert verdict(InSingle()).not_covered == ()


def test_what_only_eager_refuses_elsewhere_does_not_matter_here() -> None:
    assert verdict(EagerAloneRaises()).outcome is Outcome.PASSED


@pytest.mark.slow
def test_the_same_seed_gives_the_same_verdict_but_for_its_seconds() -> None:
    model = routing.RoutesByValue()
    one, two = (replace(verdict(model, max_examples=30), seconds=0.0, sha256=None) for _ in range(2))
    assert one == two


class MeansOverTokens(nn.Module):
    """The mean of what is not masked; a trace of a full mask takes the branch for masks without a row of zeros."""

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        total = (x * mask[..., None]).sum(1)
        if bool((mask.sum(1) == 0).any()):
            return torch.zeros_like(total)
        return total / mask.sum(1, keepdim=True)


@pytest.mark.slow
def test_a_mask_that_production_never_sends_is_a_note_and_no_failure() -> None:
    given = {"x": torch.randn(2, 7, 3), "mask": torch.ones(2, 7, dtype=torch.int64)}
    found = judge(MeansOverTokens(), given, checks="parity")["parity"]
    assert found.outcome is Outcome.PASSED
    assert found.notes == ("differs from eager for a mask with a row of zeros",)


def test_a_mask_that_production_never_sends_is_a_failure_where_the_user_gives_it() -> None:
    given = {"x": torch.randn(2, 7, 3), "mask": torch.ones(2, 7, dtype=torch.int64)}
    odd = {**given, "mask": torch.zeros(2, 7, dtype=torch.int64)}
    assert judge(MeansOverTokens(), given, checks="parity", examples=[odd])["parity"].outcome is Outcome.FAILED


def plain(**keywords: Any) -> Verdict:
    return judge(made.Plain(), rows()(), checks="parity", **keywords)["parity"]


@pytest.mark.slow
def test_outputs_that_were_stored_are_met() -> None:
    torch.manual_seed(0)
    model = made.Plain()
    x = torch.linspace(-1, 1, 14).reshape(2, 7)
    with torch.no_grad():
        answer = model.eval()(x)
    right, wrong = ({"x": x, "output": answer + off} for off in (0.0, 0.1))
    assert judge(model, rows()(), checks="parity", examples=[right])["parity"].outcome is Outcome.PASSED
    found = judge(model, rows()(), checks="parity", examples=[right, wrong])["parity"]
    assert found.outcome is Outcome.FAILED
    shown = dict(found.rows)
    assert shown["counterexample"].startswith("example 1 ")
    assert shown["differs"].startswith("from the outputs stored with it: output (2, 7): off by 1.0e-01 at ")
    assert shown["differs"].endswith("; eager differs from them too")


def test_an_example_that_eager_refuses_is_a_failure_of_the_example() -> None:
    class Looks(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed = nn.Embedding(10, 4)

        def forward(self, ids: torch.Tensor) -> torch.Tensor:
            answer: torch.Tensor = self.embed(ids)
            return answer

    beyond = {"ids": torch.full((2, 7), 99), "output": torch.zeros(2, 7, 4)}
    found = failure(judge(Looks(), ids(2, 7, high=9)(), checks="parity", examples=[beyond])["parity"])
    assert found["headline"] == "eager refuses an example"
    assert found["differs"].startswith("eager raises on it: IndexError: index out of range")
    assert found["fix"] == "give examples= that the model takes"
    assert "likely cause" not in found


def test_stored_outputs_that_eager_misses_too_are_what_is_stale() -> None:
    torch.manual_seed(0)
    model = made.Plain()
    x = torch.linspace(-1, 1, 14).reshape(2, 7)
    found = failure(judge(model, rows()(), checks="parity", examples=[{"x": x, "output": torch.ones(2, 3)}])["parity"])
    assert found["headline"] == "neither the file nor eager gives the outputs that are stored with an example"
    differs = "from the outputs stored with it: output has shape (2, 7), the stored one has (2, 3)"
    assert found["differs"] == f"{differs}; eager differs from them too"
    assert found["fix"] == "store new outputs with it, or give the model that the stored ones came from"
    assert "likely cause" not in found


def test_a_counterexample_of_another_traced_size_is_not_paritys() -> None:
    policy = from_keywords({"inputs": rows(2, 9)(), "guard": True, "max_examples": 20})
    kept = {"sizes": {"batch": 2, "dim1": 7}, "seed": 0, "values": "uniform", "mask": "ones"}
    callbacks = Callbacks(known=lambda _subject, _name: [kept])
    found = export(right_sizes.PositionsFromShape(), policy, name="it", callbacks=callbacks)
    assert found.check("parity").outcome is Outcome.PASSED


def test_an_example_of_other_names_is_one_sentence() -> None:
    with pytest.raises(InputsError) as raised:
        plain(examples=[{"x": torch.ones(2, 7), "logits": torch.ones(2)}])
    give = "give a tensor for each of x, and for those of output that are to be compared"
    assert str(raised.value) == f"examples[0] holds x, logits; {give}"
    with pytest.raises(InputsError, match="give the expected tensor"):
        plain(examples=[{"x": torch.ones(2, 7), "output": 3}])
