"""Proves that `untie` parts modules of every kind: each clone is read, on its own path alone."""

from __future__ import annotations

import copy
import functools
import re
import types
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.fx
from torch import nn
from torch.nn.utils import parametrizations

from pytest_tsexport import InputsError, untie
from pytest_tsexport.backends.torchscript.tracing import torch_jit_allowed, traced
from pytest_tsexport.tensors.copies import deep_copy
from pytest_tsexport.tensors.memory import digest
from pytest_tsexport.tensors.named_tensors import named_tensors, named_weights
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


def forward_in_a_keyword_only_default() -> nn.Module:
    layer: Any = nn.Linear(4, 4)

    def forward(x: torch.Tensor, *, by: Any = layer.forward) -> Any:
        return by(x) + 1

    layer.forward = forward
    assert isinstance(layer, nn.Module)
    return layer


def forward_in_an_attribute_of_a_function() -> nn.Module:
    layer: Any = nn.Linear(4, 4)

    def forward(x: torch.Tensor) -> Any:
        return vars(forward)["by"](x) + 1

    vars(forward)["by"] = layer.forward
    layer.forward = forward
    assert isinstance(layer, nn.Module)
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
    forward_in_a_keyword_only_default,
    forward_in_an_attribute_of_a_function,
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


@pytest.mark.slow
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


CONSTANT = (FromView, FromGradView)
"""Torch traces a view that is a plain attribute as a constant, or not at all."""


@pytest.mark.parametrize("build", [one for one in LAYERS if one not in CONSTANT], ids=lambda build: build.__name__)
@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")
def test_a_loaded_file_of_a_shared_layer_reads_each_clone(build: Build, tmp_path: Path) -> None:
    path = str(tmp_path / "file.pt")
    with torch_jit_allowed():
        torch.jit.save(traced(untie(built(build)), (X,)), path)
    name = next(name.removeprefix("first.") for name in named_weights(built(build)))
    for way, truth in zip(("first", "second"), once_changed(build, name), strict=True):
        with torch_jit_allowed():
            loaded = torch.jit.load(path)
        changed(loaded, f"{way}.{name}")
        assert torch.allclose(answer(loaded), truth, atol=1e-5), way


def test_the_second_module_has_hooks_and_buffers_of_its_own() -> None:
    model = Twice(Layer())
    model.first.register_forward_hook(lambda module, given, answer: answer * 2)
    copied = untie(model)
    assert torch.equal(answer(copied), answer(model))
    expected = answer(copied.get_submodule("first"))
    second: Any = copied.second
    second.register_forward_hook(lambda module, given, answer: answer * 0)
    second.register_buffer("shift", second.shift)
    assert torch.equal(answer(copied.get_submodule("first")), expected)
    assert not answer(copied).any()
    assert list(copied.state_dict()) == ["first.weight", "second.weight", "second.shift"]


@pytest.mark.parametrize("kind", ["no elements", "meta"])
def test_a_tensor_that_shows_no_elements_is_parted_too(kind: str) -> None:
    model = nn.Linear(4, 4)
    empty = torch.zeros(0) if kind == "no elements" else torch.zeros(2, device="meta")
    model.register_buffer("first", empty)
    model.register_buffer("second", empty)
    copied = untie(model)
    assert copied.first is not copied.second
    if kind == "no elements":
        assert torch.equal(answer(traced(copied, (X,))), answer(model))


class FromElsewhere(nn.Module):
    """A head that reads the weight of the embedding through a list of its own, and another through an object."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(9, 4)
        self.head, self.tail = nn.Identity(), nn.Identity()
        self.head.table = [self.embed.weight]  # type: ignore[assignment]
        self.tail.kept = types.SimpleNamespace(rows=self.embed.weight.detach()[1:])  # type: ignore[assignment]

    def forward(self, ids: torch.Tensor) -> Any:
        x = self.embed(ids)
        return torch.cat([x @ self.head.table[0].T, x @ self.tail.kept.rows.T], -1)  # type: ignore[index, union-attr]


def test_a_weight_in_a_list_of_another_module_is_cloned_there() -> None:
    model, ids = FromElsewhere(), torch.arange(9)
    names = ("embed.weight", "head.table.0", "tail.kept.rows")
    assert [group.names for group in ties_of(model)] == [names]
    expected = answer(model, ids)
    for place, name in enumerate(names):
        copied = untie(copy.deepcopy(model))
        with torch.no_grad():
            named_tensors(copied)[name].add_(0.5)
        truth = [model.embed.weight.detach() + 0.5 * (place == here) for here in range(3)]
        x = truth[0][ids]
        assert torch.equal(answer(copied, ids), torch.cat([x @ truth[1].T, x @ truth[2][1:].T], -1)), name
        assert torch.equal(answer(traced(untie(model), (ids,)), ids), expected)
    assert [group.names for group in ties_of(model)] == [names]


def test_a_lone_tie_is_followed_by_the_references_of_its_module() -> None:
    torch.manual_seed(0)
    one, other = Recurrent(), Recurrent()
    other.inner.weight_hh_l0 = one.inner.weight_hh_l0
    model = nn.Sequential(one, other)
    copied = untie(model)
    assert torch.equal(answer(copied), answer(model))
    changed(copied, "1.inner.weight_hh_l0")
    unshared = copy.deepcopy(other)
    changed(unshared, "inner.weight_hh_l0")
    assert torch.equal(answer(copied), answer(unshared, answer(one)))


@pytest.mark.parametrize("kind", [FromList, FromView, FromGradView, FromPartial])
def test_a_lone_tie_is_followed_by_lists_and_views(kind: Callable[[], Layer]) -> None:
    torch.manual_seed(0)
    one, other = Layer(), kind()
    one.weight.data = other.weight.data
    model = nn.Sequential(one, other)
    assert [group.names for group in ties_of(model)] == [("0.weight", "1.weight")]
    truth = answer(changed(deep_copy(other), "weight"), answer(one))
    copied = untie(model)
    assert torch.equal(answer(copied), answer(model))
    assert torch.equal(answer(changed(copied, "1.weight")), truth)


class TwoNames(nn.Module):
    """One parameter under two names of one module, which also keeps it in a list, and a view of it."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = self.second = nn.Parameter(torch.randn(4))
        self.listed = [self.scale, self.scale.detach()[:1]]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x * self.scale).tanh() * self.second * self.listed[0] + self.listed[1]


@pytest.mark.parametrize(("name", "used"), [("scale", (1, 0, 1)), ("second", (0, 1, 0))])
def test_a_list_stays_with_the_first_of_two_names_in_one_module(name: str, used: tuple[int, ...]) -> None:
    model = TwoNames()
    first, second, listed = (model.scale.detach() + 0.5 * one for one in used)
    copied = changed(untie(deep_copy(model)), name)
    assert torch.equal(answer(copied), (X * first).tanh() * second * listed + listed[:1])


def test_a_scripted_layer_under_two_names_is_parted() -> None:
    with torch_jit_allowed():
        model = Twice(torch.jit.script(nn.Linear(4, 4)))
    copied = untie(model)
    assert ties_of(copied) == ()
    assert torch.equal(answer(copied), answer(model))
    layer = nn.Linear(4, 4)
    layer.load_state_dict(model.first.state_dict())
    changed(copied, "second.weight")
    truth = answer(layer).tanh()
    assert torch.allclose(answer(copied), answer(changed(layer, "weight"), truth))


class Scripted(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Linear(4, 4), nn.Linear(4, 4)
        self.two.weight = self.one.weight

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.two(self.one(x))  # type: ignore[no-any-return]


def test_a_tie_within_a_scripted_module_is_parted() -> None:
    with torch_jit_allowed():
        model = nn.Sequential(torch.jit.script(Scripted()))
    copied = untie(model)
    assert [group.names for group in ties_of(model)] == [("0.one.weight", "0.two.weight")]
    assert ties_of(copied) == ()
    before = answer(copied)
    assert torch.equal(before, answer(model))
    changed(copied, "0.two.weight")
    assert not torch.equal(answer(copied), before)


LAYER = nn.Linear(4, 4)
FORWARD = LAYER.forward


def test_a_function_that_calls_the_source_by_a_global_name_is_refused() -> None:
    model = Twice(copy.deepcopy(LAYER))
    model.first.forward = lambda x: FORWARD(x) + 1
    assert ties_of(untie(model)) == ()  # it calls a layer that is no part of the model
    held = types.SimpleNamespace(FORWARD=lambda x: x)
    model = Twice(LAYER)
    model.second.register_forward_hook(lambda module, given, answer: held.FORWARD(answer))
    assert ties_of(untie(model)) == ()  # the name of an attribute is no global name
    LAYER._forward_hooks.clear()
    model = Twice(LAYER)
    model.first.forward = lambda x: FORWARD(x) + 1
    sentence = "Twice cannot be untied: a function of first would still call the module that it was copied from"
    with pytest.raises(InputsError, match=f"^{sentence}$"):
        untie(model)


class ReadsColumns(nn.Module):
    """Its weight is every second column of a matrix, and it keeps a view of the rows of that weight."""

    def __init__(self, fused: torch.Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(fused[:, ::2])
        self.rows = self.weight.detach()[1:]


def test_a_view_that_cannot_be_repeated_is_refused() -> None:
    fused = torch.randn(4, 8)
    model = nn.Sequential(ReadsColumns(fused), ReadsColumns(fused))
    sentence = "Sequential cannot be untied (1.rows is a view of a tied weight that cannot be repeated)"
    with pytest.raises(InputsError, match=f"^{re.escape(sentence)}$"):
        untie(model)


class Listed(nn.Module):
    def __init__(self, weight: torch.Tensor) -> None:
        super().__init__()
        self.table = [weight]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x @ self.table[0]


class HoldsListed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 4)
        self.listed = Listed(self.layer.weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.listed(self.layer(x))  # type: ignore[no-any-return]


def test_a_list_in_a_scripted_module_that_stays_tied_is_refused() -> None:
    with torch_jit_allowed():
        model = torch.jit.script(HoldsListed())
    sentence = "cannot be untied: layer.weight and listed.table.0 would still share memory"
    with pytest.raises(InputsError, match=sentence):
        untie(model)


class Itself(nn.Linear):
    """A layer that is never copied, as teams keep a large part that does not change."""

    def __deepcopy__(self, memo: dict[int, Any]) -> Itself:
        return self


class Pair(nn.Sequential):
    """Two layers with one weight, of which the second is copied to itself."""

    def __init__(self) -> None:
        super().__init__(nn.Linear(4, 4), Itself(4, 4))
        self[1].weight = self[0].weight


@pytest.mark.parametrize(("make", "said"), [(lambda: Twice(Itself(4, 4)), "first"), (Pair, "1")])
def test_a_part_that_is_copied_to_itself_is_refused_and_the_source_stays_tied(make: Build, said: str) -> None:
    model = make()
    before = {name: id(one) for name, one in named_weights(model).items()}
    sentence = f"{type(model).__name__} cannot be untied: copy.deepcopy returns {said} itself, and not a copy of it"
    with pytest.raises(InputsError, match=f"^{sentence}$"):
        untie(model)
    assert {name: id(one) for name, one in named_weights(model).items()} == before


def test_the_references_of_a_part_that_is_copied_to_itself_are_left_alone() -> None:
    part = Itself(4, 4)
    part.cached = part.weight * 2
    kept = part.cached
    copied = untie(nn.Sequential(part, nn.Tanh()))  # nothing is tied, so the copy may share the part
    assert copied[0] is part  # type: ignore[index]
    assert part.cached is kept


def test_a_shared_module_without_sizes_is_refused_in_a_sentence() -> None:
    layer = nn.LazyLinear(4)
    sentence = "Sequential cannot be untied: 1.bias has no size before the first call; call the model once"
    with pytest.raises(InputsError, match=f"^{sentence}$"):
        untie(nn.Sequential(layer, layer))
