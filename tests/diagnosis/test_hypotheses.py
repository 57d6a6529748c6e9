"""Proves that the fault of a user's own file is named if a hypothesis explains every answer, and only then."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from pytest_tsexport.errors import ArtifactError
from pytest_tsexport.testing import exporters, files, judge, wrappers
from pytest_tsexport.testing import wrong_devices as devices
from pytest_tsexport.testing import wrong_exports as made
from pytest_tsexport.testing import wrong_routing as routing
from pytest_tsexport.testing.specimen import Inputs, Writer, ids, rows, two_rows
from pytest_tsexport.verdict import Outcome


def reported(model: nn.Module, inputs: Inputs, **keywords: Any) -> dict[str, str]:
    """The rows of the failure that parity reports."""
    found = judge(model, inputs, checks="parity", max_examples=40, **keywords)["parity"]
    assert found.outcome is Outcome.FAILED
    return dict(found.rows)


def of(change: Callable[[nn.Module], nn.Module], *, frozen: bool = False) -> Writer:
    """An exporter of a changed copy of the model, whose inputs have the dtype of its weights."""

    def export(model: nn.Module, inputs: Inputs, path: Path) -> None:
        changed = change(copy.deepcopy(model)).eval()
        dtype = next((one.dtype for one in changed.parameters()), torch.float32)
        given = {name: one.to(dtype) if one.is_floating_point() else one for name, one in inputs.items()}
        with files.quiet():
            (exporters.frozen if frozen else exporters.plain)(changed, given, path)

    return export


def through(dtype: torch.dtype) -> Callable[[nn.Module], nn.Module]:
    """Weights that went through a coarser dtype and came back."""
    return lambda model: model.to(dtype).float()


def grown(model: nn.Module) -> nn.Module:
    exporters.add_to_weights(model)
    return model


BF16, F16 = torch.bfloat16, torch.float16
FLOAT32 = "export it in float32"
AGAIN = "export it again from the model that this test returns"
MEANT = "export it in float32; if {0} is meant, return the model in {0}, and the float32 one as reference="


@pytest.mark.slow
@pytest.mark.parametrize("way", ["export", "artifact"])
@pytest.mark.parametrize(
    ("write", "cause", "fix"),
    [
        (of(grown), "the file was exported from other weights: linear.weight differs by up to ", AGAIN),
        (of(through(BF16)), "its weights are the model's, rounded to bfloat16", MEANT.format("bfloat16")),
        (of(through(F16)), "its weights are the model's, rounded to float16", MEANT.format("float16")),
        (of(nn.Module.bfloat16), "its weights are the model's, converted from float32 to bfloat16", FLOAT32),
        (of(nn.Module.half), "its weights are the model's, converted from float32 to float16", FLOAT32),
        (
            of(lambda model: grown(model).bfloat16()),
            "it holds weights of another model, in bfloat16: linear.weight differs by up to ",
            FLOAT32,
        ),
        (
            of(lambda model: model.bfloat16(), frozen=True),
            "it equals the model in bfloat16; the model is in float32",
            FLOAT32,
        ),
    ],
)
def test_weights_that_are_not_the_models(way: str, write: Writer, cause: str, fix: str, tmp_path: Path) -> None:
    model, inputs = made.Plain(), rows()()
    given: dict[str, Any] = {"export": write}
    if way == "artifact":
        write(model.eval(), inputs, tmp_path / "earlier.pt")
        given = {"artifact": tmp_path / "earlier.pt"}
    found = reported(model, inputs, **given)
    assert found["likely cause"].startswith(cause)
    assert found["fix"].startswith(fix)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "inputs", "wrap", "cause", "fix"),
    [
        (
            made.TwoOutputs,
            rows(),
            wrappers.SwapsOutputs,
            "output 0 equals eager's 1, output 1 equals eager's 0",
            "return eager's outputs in this order: 0, 1",
        ),
        (
            made.TwoOutputs,
            rows(),
            wrappers.DropsOutput,
            "output equals eager's 0; eager's 1 is not among them",
            "return eager's outputs in this order: 0, 1",
        ),
        (
            made.TwoInputs,
            two_rows(),
            wrappers.SwapsInputs,
            "x and y are swapped: with each in the other's place, the file equals eager",
            "export a forward that takes x, y, in this order",
        ),
        (
            made.Plain,
            rows(),
            wrappers.InDouble,
            "its values are eager's, converted: output to float64",
            "return eager's dtype",
        ),
    ],
)
def test_the_wrong_order_and_the_wrong_dtype(
    model: type[nn.Module], inputs: Callable[[], Inputs], wrap: type[nn.Module], cause: str, fix: str
) -> None:
    found = reported(model(), inputs(), export=exporters.instead(wrap))
    assert (found["likely cause"], found["fix"]) == (cause, fix)


def test_a_device_that_this_machine_does_not_have(tmp_path: Path) -> None:
    model, inputs = devices.AddsPositions(), rows()()
    with files.quiet():
        devices.on_cuda(model.eval(), inputs, tmp_path / "earlier.pt")
    found = reported(model, inputs, artifact=tmp_path / "earlier.pt")
    cause = "it was traced on cuda:0, which is not on this machine, and its code names that device"
    assert found["likely cause"] == cause
    assert found["fix"].startswith("trace it on the CPU")


@pytest.mark.slow
def test_what_cannot_be_examined_in_a_frozen_file_is_reported() -> None:
    found = reported(made.Plain(), rows()(), export=of(grown, frozen=True))
    assert "likely cause" not in found
    sentence = "whether its weights are the model's: it is frozen or packed, and holds none by name"
    assert found["not examined"] == sentence


def quantised(model: nn.Module, inputs: Inputs, path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch.ao.quantization is on its way out
        packed = torch.ao.quantization.quantize_dynamic(copy.deepcopy(model), {nn.Linear})
        exporters.plain(packed, inputs, path)


@pytest.mark.slow
@pytest.mark.skipif(torch.backends.quantized.engine == "none", reason="this torch cannot compute in int8")
def test_an_int8_file_is_reported_as_one() -> None:
    found = reported(made.Plain(), rows()(), export=quantised)
    assert found["likely cause"].startswith(
        "it computes with quantized::linear_dynamic: its weights are packed as int8, "
    )
    assert found["fix"] == "say what int8 may cost: rtol= and atol=, or metric='argmax' or 'cosine'"


@pytest.mark.slow
@pytest.mark.skipif(torch.backends.quantized.engine == "none", reason="this torch cannot compute in int8")
def test_int8_is_not_a_cause_if_the_model_is_int8_itself() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch.ao.quantization is on its way out
        packed = torch.ao.quantization.quantize_dynamic(made.Plain(), {nn.Linear})
    found = reported(packed, rows()(), export=exporters.instead(wrappers.OffByLittle))
    assert "likely cause" not in found


class Turns(nn.Module):
    """Complex weights, of length 1."""

    def __init__(self, more: nn.Module | None = None) -> None:
        super().__init__()
        self.turn = nn.Parameter(torch.polar(torch.ones(7), torch.arange(7.0)))
        self.more = more or nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.more(torch.view_as_real(x * self.turn).flatten(1))
        return answer


@pytest.mark.filterwarnings("error")
def test_complex_weights_are_compared_by_their_difference() -> None:
    def turned(model: nn.Module) -> nn.Module:
        weight: torch.Tensor = model.turn  # type: ignore[assignment]
        weight.data = torch.complex(weight.real, weight.imag + 0.5).detach()
        return model

    def export(model: nn.Module, inputs: Inputs, path: Path) -> None:
        with files.quiet():
            exporters.plain(turned(copy.deepcopy(model)), inputs, path)

    found = reported(Turns(), rows()(), export=export)
    assert found["likely cause"] == "the file was exported from other weights: turn differs by up to 5.0e-01"


@pytest.mark.slow
@pytest.mark.filterwarnings("error")
def test_a_model_with_complex_weights_is_not_tried_in_another_dtype() -> None:
    found = reported(
        Turns(nn.Linear(14, 3)), rows()(), export=of(lambda model: nn.Sequential(model, Add()), frozen=True)
    )
    assert "likely cause" not in found


class Add(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + 0.1


class Named(nn.Module):
    """Answers a mapping: of another order, of another name, or short of one."""

    def __init__(self, *pairs: str) -> None:
        super().__init__()
        self.linear = nn.Linear(7, 3)
        self.pairs = pairs or ("a:a", "b:b")

    def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        leaves = {"a": self.linear(x), "b": self.linear(x).sin()}
        return {name: leaves[of] for name, of in (pair.split(":") for pair in self.pairs)}


def writes(*pairs: str) -> Writer:
    def export(model: nn.Module, inputs: Inputs, path: Path) -> None:
        other = Named(*pairs)
        other.load_state_dict(model.state_dict())
        traced = torch.jit.trace(other, tuple(inputs.values()), check_trace=False, strict=False)
        torch.jit.save(traced, str(path))

    return export


def test_a_mapping_has_no_order() -> None:
    found = judge(Named(), rows()(), checks="parity", max_examples=20, export=writes("b:b", "a:a"))["parity"]
    assert found.outcome is Outcome.PASSED


@pytest.mark.slow
@pytest.mark.parametrize(
    ("pairs", "cause"),
    [
        (("a:b", "b:a"), "a equals eager's b, b equals eager's a"),
        (("x:a", "y:b"), "x equals eager's a, y equals eager's b"),
        (("b:b",), "b equals eager's b; eager's a is not among them"),
    ],
)
def test_a_mapping_of_other_names(pairs: tuple[str, ...], cause: str) -> None:
    found = reported(Named(), rows()(), export=writes(*pairs))
    assert found["likely cause"] == cause


def test_outputs_in_their_places_are_not_a_cause() -> None:
    """What it overwrites is what is wrong, and its answers are eager's."""
    for model in (made.Plain(), made.TwoOutputs(), Named()):
        found = reported(model, rows()(), export=overwriting)
        assert "likely cause" not in found
        assert found["differs"].endswith("overwrites its input x, eager leaves it alone")


def overwriting(model: nn.Module, inputs: Inputs, path: Path) -> None:
    class Overwrites(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, x: torch.Tensor) -> object:
            answer = self.model(x)
            x.add_(1)
            return answer

    torch.jit.save(torch.jit.trace(Overwrites(), tuple(inputs.values()), check_trace=False, strict=False), str(path))


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (
            "ops.neuron.forward_v2_1(input)",
            "needs the operator neuron::forward_v2_1, which is not loaded here; "
            "import torch_neuronx in conftest.py, or load its library with torch.ops.load_library",
        ),
        (
            "ops.ours.halve(input)",
            "needs the operator ours::halve, which is not loaded here; "
            "import the module that registers it in conftest.py, or load its library with torch.ops.load_library",
        ),
        (
            "torch.of_a_later_torch(input)",
            f"needs the operator aten::of_a_later_torch, which torch {torch.__version__} does not have; "
            "use the torch that it was written with",
        ),
    ],
)
def test_an_operator_that_is_not_loaded_is_named(code: str, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "earlier.pt"
    files.fresh(nn.ReLU(), {"input": rows()()["x"]}, path)
    files.rewrite(path, "torch.relu(input)", code)
    with pytest.raises(ArtifactError) as refusal:
        judge(nn.ReLU(), {"input": rows()()["x"]}, artifact=path)
    assert str(refusal.value) == f"artifact {path} {sentence}"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "inputs", "export"),
    [
        (made.Plain, rows(), exporters.instead(wrappers.OffByLittle)),
        (made.Plain, rows(), exporters.instead(wrappers.SwapsRows)),
        (made.Plain, rows(), exporters.instead(wrappers.NaNForNegative)),
        (made.TwoInputs, two_rows(), exporters.instead(lambda model: wrappers.SwapsInputs(Off(model)))),
        (routing.RoutesByValue, rows(), exporters.plain),
        (made.TiedHead, ids(), of(lambda model: Off(model, "ids"))),
    ],
)
def test_no_cause_is_made_up(model: type[nn.Module], inputs: Callable[[], Inputs], export: Writer) -> None:
    found = reported(model(), inputs(), export=export)
    assert not {"likely cause", "not examined"} & set(found)
    assert found["fix"].startswith("see what the exporter does with the model")


class Off(nn.Module):
    """A tenth is added to the first output, which no weight, no order and no dtype explains."""

    def __init__(self, model: nn.Module, argument: str = "x") -> None:
        super().__init__()
        self.model = model
        if argument == "ids":
            self.forward = self.of_ids  # type: ignore[method-assign,assignment]

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.model(x, y)
        return answer + 0.1

    def of_ids(self, ids: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.model(ids)
        return answer + 0.1


@pytest.mark.slow
def test_weights_that_differ_and_explain_nothing_are_not_reported() -> None:
    """A buffer that forward writes to is different after the trace, but the answers differ for another reason."""

    class Counts(made.Plain):
        calls: torch.Tensor

        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("calls", torch.zeros(()))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.calls += 1
            return super().forward(x)

    found = reported(Counts(), rows()(), export=exporters.instead(wrappers.OffByLittle))
    assert "likely cause" not in found


class OwnNames(made.Plain):
    """Its method has the arguments that torch gave it in older versions."""

    def named_parameters(self, prefix: str = "", recurse: bool = True) -> Any:  # type: ignore[override]  # noqa: FBT001, FBT002
        return super().named_parameters(prefix, recurse)


@pytest.mark.slow
def test_a_model_with_a_method_of_older_versions_is_explained_too() -> None:
    found = reported(OwnNames(), rows()(), export=of(grown))
    assert found["likely cause"].startswith("the file was exported from other weights: linear.weight differs by up to ")


class Tags(nn.Module):
    """Choices that int8 moves where two of them are worth nearly the same."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.table, self.one, self.two = nn.Embedding(50, 16), nn.Linear(16, 64), nn.Linear(64, 3)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.two(torch.relu(self.one(self.table(ids)))).mean(1)
        return answer


def int8(model: nn.Module, inputs: Inputs, path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = torch.ao.quantization.quantize_dynamic(copy.deepcopy(model).eval(), {nn.Linear}, dtype=torch.qint8)
        exporters.frozen(made, inputs, path)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("given", "fix"),
    [
        ({}, "say what int8 may cost: rtol= and atol=, or metric='argmax' or 'cosine'"),
        ({"metric": "argmax"}, "say with rtol= and atol= how far int8 may be off where metric='argmax' decides"),
        (
            {"rtol": 1e-6, "atol": 1e-6},
            "if int8 may cost more, give a larger rtol= and atol=; else quantise fewer layers",
        ),
    ],
)
def test_nothing_is_proposed_for_int8_that_is_given_already(given: Mapping[str, Any], fix: str) -> None:
    inputs = {"ids": torch.randint(0, 50, (8, 2), generator=torch.Generator().manual_seed(0))}
    found = judge(Tags(), inputs, checks=["parity", "shapes"], export=int8, **given)
    assert dict(found["parity"].rows)["fix"] == fix
    assert "pad" not in dict(found["shapes"].rows).get("fix", "")
    more: dict[str, Any] = {**given, "rtol": 0.05, "atol": 0.05}
    assert judge(Tags(), inputs, checks="parity", export=int8, **more)["parity"].outcome is Outcome.PASSED


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_size_that_an_int8_file_has_frozen_is_not_told_as_rounding() -> None:
    class FreezesLength(Tags):
        def forward(self, ids: torch.Tensor) -> torch.Tensor:
            answer: torch.Tensor = self.two(torch.relu(self.one(self.table(ids)))).sum(1) / int(ids.shape[1])
            return answer

    inputs = {"ids": torch.randint(0, 50, (8, 2), generator=torch.Generator().manual_seed(0))}
    found = judge(FreezesLength(), inputs, checks=["parity", "shapes"], export=int8, rtol=0.05, atol=0.05)
    assert found["parity"].outcome is Outcome.PASSED
    assert found["shapes"].headline == "silently wrong outside the traced size"
    assert dict(found["shapes"].rows)["fix"].startswith("trace at the largest size and pad")
