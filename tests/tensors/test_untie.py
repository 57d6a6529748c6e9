"""Proves that `untie` parts modules of every kind: each clone is read, on its own path alone."""

from __future__ import annotations

import copy
import functools
import types
import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.fx
from torch import nn
from torch.nn.utils import parametrizations

from pytest_tsexport import untie
from pytest_tsexport.tensors.memory import digest
from pytest_tsexport.tensors.named_tensors import named_weights
from pytest_tsexport.tensors.weights import ties_of

Build = Callable[[], nn.Module]
X = torch.randn(3, 5, 4, generator=torch.Generator().manual_seed(0))


class Layer(nn.Module):
    """A layer that other specimens build on: one weight and one buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(4, 4))
        self.register_buffer("shift", torch.randn(4), persistent=False)
        self.shift: torch.Tensor

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x @ self.weight + self.shift


def bound_forward() -> nn.Module:
    layer = nn.Linear(4, 4)
    layer.forward = types.MethodType(nn.Linear.forward, layer)  # type: ignore[method-assign]
    return layer


def bound_forward_of_a_parent() -> nn.Module:
    block = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4))
    block.forward = types.MethodType(nn.Sequential.forward, block)  # type: ignore[method-assign]
    return block


def forward_with_hooks_as_accelerate_has_it() -> nn.Module:
    layer = nn.Linear(4, 4)

    def forward_of(module: Any, *args: Any) -> Any:
        return module._old_forward(*args)

    layer._old_forward = layer.forward  # type: ignore[assignment]
    layer.forward = functools.update_wrapper(  # type: ignore[method-assign]
        functools.partial(forward_of, layer), layer.forward
    )
    return layer


def forward_in_a_closure() -> nn.Module:
    layer = nn.Linear(4, 4)
    old = layer.forward
    layer.forward = lambda x: old(x) * 2  # type: ignore[method-assign, assignment]
    return layer


def forward_in_a_closure_twice() -> nn.Module:
    layer = forward_in_a_closure()
    old = layer.forward

    def forward(x: torch.Tensor, by: Any = old) -> Any:
        return by(x) + 1

    layer.forward = forward
    return layer


def closure_bound_to_the_layer() -> nn.Module:
    layer = nn.Linear(4, 4)
    old = layer.forward

    def forward(self: nn.Linear, x: torch.Tensor) -> torch.Tensor:
        return old(x) * 2 + self.bias

    layer.forward = types.MethodType(forward, layer)  # type: ignore[method-assign]
    return layer


def closure_over_the_weight() -> nn.Module:
    layer: Any = Layer()
    weights = [layer.weight]
    layer.forward = lambda x: x @ weights[0] + layer.shift
    assert isinstance(layer, nn.Module)
    return layer


def closure_over_an_object_that_holds_it() -> nn.Module:
    layer: Any = nn.Linear(4, 4)
    engine = types.SimpleNamespace(run=layer.forward, lock=object())
    layer.forward = lambda x: engine.run(x) + 1
    assert isinstance(layer, nn.Module)
    return layer


def hook_in_a_closure() -> nn.Module:
    layer = nn.Linear(4, 4)
    layer.register_forward_hook(lambda module, given, answer: answer * layer.bias)
    return layer


class FromList(Layer):
    def __init__(self) -> None:
        super().__init__()
        self.table: list[Any] = [self.weight, {"shift": self.shift}]

    def forward(self, x: torch.Tensor) -> Any:
        return x @ self.table[0] + self.table[1]["shift"]


class FromView(Layer):
    def __init__(self) -> None:
        super().__init__()
        self.rows = self.weight.detach().T[:, 1:]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.pad(x @ self.rows, (1, 0)) + self.weight[:, :1].sum() + self.shift


class FromGradView(Layer):
    """The view was made with gradients, so autograd keeps it."""

    def __init__(self) -> None:
        super().__init__()
        self.rows = [self.weight[1:]]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[..., 1:] @ self.rows[0] + self.shift * self.weight[0]


class FromPartial(Layer):
    def __init__(self) -> None:
        super().__init__()
        self.times = functools.partial(torch.matmul, other=self.weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.times(x) + self.shift


class FromParameterList(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.tables = nn.ParameterList([torch.randn(4, 4), torch.randn(4, 4)])

    def forward(self, x: torch.Tensor) -> Any:
        return x @ self.tables[0] @ self.tables[1]


class Recurrent(nn.Module):
    def __init__(self, kind: Callable[..., nn.Module] = nn.LSTM) -> None:
        super().__init__()
        self.inner = kind(4, 4, batch_first=True)

    def forward(self, x: torch.Tensor) -> Any:
        return self.inner(x)[0]


class ListedToo(nn.Module):
    """Its child is registered, and called through a list."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = Layer()
        self.all = [self.inner]

    def forward(self, x: torch.Tensor) -> Any:
        return self.all[0](x)


def old_weight_norm() -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # torch has a newer weight_norm, and vocoders the older one
        layer: nn.Module = nn.utils.weight_norm(nn.Linear(4, 4))
        return layer


def graph_module() -> nn.Module:
    return torch.fx.symbolic_trace(nn.Sequential(nn.Linear(4, 4), nn.Tanh()))


def weight_norm() -> nn.Module:
    layer: nn.Module = parametrizations.weight_norm(nn.Linear(4, 4))
    return layer


def spectral_norm() -> nn.Module:
    layer: nn.Module = parametrizations.spectral_norm(nn.Linear(4, 4))
    return layer


def orthogonal() -> nn.Module:
    layer: nn.Module = parametrizations.orthogonal(nn.Linear(4, 4))
    return layer


def gru() -> nn.Module:
    return Recurrent(nn.GRU)


LAYERS: list[Build] = [
    Layer,
    bound_forward,
    bound_forward_of_a_parent,
    forward_with_hooks_as_accelerate_has_it,
    forward_in_a_closure,
    forward_in_a_closure_twice,
    closure_bound_to_the_layer,
    closure_over_the_weight,
    closure_over_an_object_that_holds_it,
    hook_in_a_closure,
    FromList,
    FromView,
    FromGradView,
    FromPartial,
    FromParameterList,
    Recurrent,
    gru,
    ListedToo,
    old_weight_norm,
    weight_norm,
    spectral_norm,
    orthogonal,
    graph_module,
]


class Twice(nn.Module):
    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.first = self.second = layer

    def forward(self, x: torch.Tensor) -> Any:
        return self.second(self.first(x).tanh())


def built(build: Build) -> Twice:
    torch.manual_seed(1)
    return Twice(build()).eval()


def changed(layer: nn.Module, name: str) -> nn.Module:
    with torch.no_grad():
        named_weights(layer)[name].add_(0.5)
    return layer


def answer(model: Callable[..., Any], x: torch.Tensor = X) -> torch.Tensor:
    with torch.no_grad():
        given = model(x)
    assert isinstance(given, torch.Tensor)
    return given


def once_changed(build: Build, name: str) -> tuple[torch.Tensor, torch.Tensor]:
    """The answers of the chain if the weight `name` of the first layer, or of the second one, is another.

    They come from two models that torch alone has built: the layer as it is, and the layer with another weight.
    """
    before, after = built(build).first, changed(built(build).first, name)
    return answer(before, answer(after).tanh()), answer(after, answer(before).tanh())


@pytest.mark.parametrize("build", LAYERS, ids=lambda build: build.__name__)
def test_each_clone_of_a_shared_layer_is_read_on_its_own_path_alone(build: Build) -> None:
    model = built(build)
    before = {name: digest(weight) for name, weight in named_weights(model).items()}
    expected = answer(model)
    assert torch.equal(answer(untie(model)), expected)
    names = [name.removeprefix("first.") for name in named_weights(model) if name.startswith("first.")]
    for name in names:
        for path, truth in zip(("first", "second"), once_changed(build, name), strict=True):
            copied = untie(built(build))  # its first names share the weights of the model
            assert ties_of(copied) == ()
            changed(copied, f"{path}.{name}")
            assert torch.equal(answer(copied), truth), (path, name)
    assert {name: digest(weight) for name, weight in named_weights(model).items()} == before
    assert torch.equal(answer(model), expected)
    assert model.first is model.second


class SharedChild(nn.Module):
    """Its blocks are one module, whose children share a child that has a name here too."""

    def __init__(self) -> None:
        super().__init__()
        inner = nn.Linear(4, 4)
        block = nn.Sequential(inner, nn.Sequential(inner, nn.Tanh()))
        self.blocks = nn.ModuleList([block, block])
        self.inner = inner

    def forward(self, x: torch.Tensor) -> Any:
        for block in self.blocks:
            x = block(x).tanh()
        return self.inner(x)


def test_a_shared_module_whose_child_is_shared_too_is_parted_at_every_name() -> None:
    torch.manual_seed(1)
    model = SharedChild()
    kept = nn.Linear(4, 4)
    kept.load_state_dict(model.inner.state_dict())
    other = nn.Linear(4, 4)
    other.load_state_dict(model.inner.state_dict())
    changed(other, "weight")
    names = ["blocks.0.0", "blocks.0.1.0", "blocks.1.0", "blocks.1.1.0", "inner"]
    assert ties_of(model)[0].names == tuple(f"{name}.weight" for name in names)
    for place, name in enumerate(names):
        copied = untie(copy.deepcopy(model))
        changed(copied, f"{name}.weight")
        used = [other if place == here else kept for here in range(5)]
        x = X
        for block in (used[:2], used[2:4]):
            x = block[1](block[0](x)).tanh().tanh()
        assert torch.equal(answer(copied), answer(lambda given: given, used[4](x).detach())), name
