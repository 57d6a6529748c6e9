"""Proves that a compiler follows the documented rules: the simulation, two packages named like the SDK, and a real SDK.

The real SDK is tested if `/proc/devices` has a device and the SDK is installed. Only documented behaviour is tested.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from pytest_tsexport.backends import neuron_sdk
from pytest_tsexport.backends.torchscript.tracing import torch_jit_allowed
from pytest_tsexport.config.keywords import from_keywords
from pytest_tsexport.export import Export
from pytest_tsexport.pipeline import export
from pytest_tsexport.testing import judge
from pytest_tsexport.testing import wrong_exports as made
from pytest_tsexport.testing.specimen import ids, rows, two_rows
from tests.backends.conftest import Installed

COMPILERS = ("neuron-sim", "neuronx", "independent", "real")
REFUSED = (RuntimeError, ValueError)
"""The class is documented; the text is not."""


@pytest.fixture(params=COMPILERS)
def backend(request: pytest.FixtureRequest, sdk: Installed) -> str:
    name: str = request.param
    if name == "real" and (not neuron_sdk.has_device() or isinstance(neuron_sdk.find(), str)):
        pytest.skip("there is no Neuron device with its SDK here")
    if name in ("neuronx", "independent"):
        sdk(name)
    return name if name == "neuron-sim" else "neuron"


class Exports:
    """Compiles models, and closes every export at the end."""

    def __init__(self, backend: str) -> None:
        self._backend = backend
        self._made: list[Export] = []

    def __call__(self, model: nn.Module, inputs: Mapping[str, torch.Tensor], **keywords: Any) -> Export:
        policy = from_keywords({"inputs": inputs, "neuron_args": "--auto-cast none", **keywords})
        self._made.append(export(model, policy, name="it", backend=self._backend))
        return self._made[-1]

    def close(self) -> None:
        for one in self._made:
            one.close()


@pytest.fixture
def compiled(backend: str) -> Iterator[Exports]:
    exports = Exports(backend)
    yield exports
    exports.close()


def leaf(answer: Any) -> torch.Tensor:
    (one,) = answer
    assert isinstance(one, torch.Tensor)
    return one


def close(one: torch.Tensor, other: torch.Tensor) -> None:
    torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-3 * float(other.std()))


def test_the_traced_size_equals_eager(compiled: Exports) -> None:
    model = made.TiedHead().eval()
    other = torch.randint(0, 50, (2, 7))
    close(leaf(compiled(model, ids()()).module(other)), model(other).detach())


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(1, 7), (3, 7), (2, 6), (2, 8), (2, 7, 1), (14,)], ids=str)
def test_another_size_raises(compiled: Exports, shape: tuple[int, ...]) -> None:
    module = compiled(made.TiedHead(), ids()()).module
    with pytest.raises(REFUSED):
        module(torch.zeros(shape, dtype=torch.int64))


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.int64], ids=str)
def test_another_dtype_raises(compiled: Exports, dtype: torch.dtype) -> None:
    module = compiled(made.Plain(), rows()()).module
    with pytest.raises(REFUSED):
        module(torch.zeros(2, 7, dtype=dtype))


@pytest.mark.slow
@pytest.mark.parametrize("number", [0, 1, 3])
def test_another_number_of_inputs_raises(compiled: Exports, number: int) -> None:
    module = compiled(made.TwoInputs(), two_rows()()).module
    with pytest.raises(REFUSED):
        module(*[torch.zeros(2, 7)] * number)


def test_weights_are_those_at_compile_time(compiled: Exports) -> None:
    model, inputs = made.Plain().eval(), rows()()
    before = model(inputs["x"]).detach()
    module = compiled(model, inputs).module
    with torch.no_grad():
        model.linear.weight.zero_()
    close(leaf(module(inputs["x"])), before)


def test_outputs_are_plain_tensors_on_the_cpu(compiled: Exports) -> None:
    answer = leaf(compiled(made.Plain(), rows()()).module(rows()()["x"].requires_grad_()))
    assert (answer.device.type, answer.requires_grad, answer.dtype) == ("cpu", False, torch.float32)


def test_inputs_are_not_overwritten(compiled: Exports) -> None:
    class Overwrites(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.clone().add_(1)

    given = rows()()["x"]
    compiled(Overwrites(), {"x": given.clone()}).module(x := given.clone())
    assert torch.equal(x, given)


class Unused(nn.Module):
    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return x.tanh() + torch.zeros_like(y)


def test_an_input_without_effect_is_dropped_with_a_warning(backend: str) -> None:
    found = judge(Unused(), two_rows()(), backend=backend, checks="trace")["trace"]
    assert "y is dropped: the answer does not depend on it" in found.notes


def test_an_input_that_is_used_is_not_dropped(backend: str) -> None:
    found = judge(made.TwoInputs(), two_rows()(), backend=backend, checks="trace")["trace"]
    assert not any("dropped" in note for note in found.notes)


class FreezesChoice(nn.Module):
    """A Python branch on values is traced once."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * 2 if float(x.detach().sum()) > 0 else x * -3


def test_a_branch_on_values_is_frozen(compiled: Exports) -> None:
    module = compiled(FreezesChoice(), {"x": torch.ones(2, 7)}).module
    close(leaf(module(torch.linspace(-2, 1, 14).reshape(2, 7))), torch.linspace(-4, 2, 14).reshape(2, 7))


@pytest.mark.slow
@pytest.mark.parametrize("batch", [1, 2, 3, 5])
def test_with_dynamic_batching_each_row_equals_eager(compiled: Exports, batch: int) -> None:
    model = made.TiedHead().eval()
    module = compiled(model, ids()(), shapes={"batch": "dynamic"}).module
    given = torch.randint(0, 50, (batch, 7))
    close(leaf(module(given)), torch.cat([model(row[None]) for row in given]).detach())


def test_with_dynamic_batching_another_length_raises(compiled: Exports) -> None:
    module = compiled(made.TiedHead(), ids()(), shapes={"batch": "dynamic"}).module
    with pytest.raises(REFUSED):
        module(torch.zeros(3, 6, dtype=torch.int64))


def test_with_dynamic_batching_inputs_of_two_sizes_raise(compiled: Exports) -> None:
    module = compiled(made.TwoInputs(), two_rows()(), shapes={"batch": "dynamic"}).module
    with pytest.raises(REFUSED):
        module(torch.zeros(2, 7), torch.zeros(4, 7))


def test_a_copy_of_the_file_gives_the_same_outputs(compiled: Exports, tmp_path: Path) -> None:
    given, inputs = compiled(made.TwoOutputs(), rows()()), rows()()["x"]
    copied = tmp_path / "copy.pt"
    shutil.copyfile(given.path, copied)
    with torch_jit_allowed():
        loaded = torch.jit.load(str(copied))
        torch.jit.save(loaded, str(tmp_path / "once more.pt"))
        once_more = torch.jit.load(str(tmp_path / "once more.pt"))
    for module in (loaded, once_more):
        assert all(map(torch.equal, given.module(inputs), module(inputs)))


@pytest.mark.slow
def test_without_its_import_the_operator_is_not_known(compiled: Exports) -> None:
    path = compiled(made.Plain(), rows()()).path
    program = f"import torch; torch.jit.load({str(path)!r})"
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "Unknown builtin op: neuron" in done.stderr
