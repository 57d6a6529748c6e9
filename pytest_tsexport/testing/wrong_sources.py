"""nothing -> specimens: exporters that write a right file and leave something of the model, or of torch, changed."""

from __future__ import annotations

import random
from array import array
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from types import SimpleNamespace
from typing import Any

import torch
from torch import nn

from pytest_tsexport.testing import exporters
from pytest_tsexport.testing import wrong_exports as made
from pytest_tsexport.testing.specimen import Specimen, ids, rows
from pytest_tsexport.testing.wrong_surroundings import SURROUNDING_HARMS
from pytest_tsexport.testing.wrong_training import TRAINING_HARMS, FillsTable, in_inference_mode

Harm = Callable[[Any], object]


class Equipped(nn.Module):
    """Right: it has all that an exporter may leave changed, and is used as it should be."""

    traced = False
    shift: torch.Tensor
    kept: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.linear, self.act, self.drop = nn.Linear(7, 7), nn.GELU(), nn.Dropout(0.5)
        self.layers = nn.ModuleList([nn.Linear(7, 7), nn.Linear(7, 7), nn.Linear(7, 7)])
        self.config = SimpleNamespace(return_dict=True, scales={"last": 2.0}, layers=[0, 1, 2])
        self.generation_config = SimpleNamespace(max_length=20)
        self.exporting, self.scale, self.style = False, 2, "scaled"
        self.table = torch.linspace(0, 1, 7)
        self.steps = [torch.ones(7), torch.zeros(7)]
        self.register_buffer("shift", torch.linspace(-1, 1, 7))
        self.register_buffer("kept", torch.ones(7), persistent=False)
        self.linear.register_forward_hook(_double)
        self.linear.register_forward_hook(_clamp)
        self.handle = self.layers[2].register_forward_hook(same_answer)
        self.rnn, self.random = nn.RNN(7, 7), random.Random(3)
        self.flags, self.rates, self.long = bytearray(2), array("f", [1.0, 2.0]), [0.5] * 10_001
        weight = self.layers[1].get_parameter("weight")
        weight.register_hook(_halve)
        weight.no_decay = True  # type: ignore[attr-defined]

    def forward(self, x: torch.Tensor) -> Any:
        for layer in self.layers:
            x = layer(x)
        x, _ = self.rnn(x)
        answer = self.scaled(self.drop(self.act(self.linear(x))) + self.shift + self.table)
        answer = answer + self.steps[0] * self.kept
        return answer if self.config.return_dict and not self.exporting else (answer, answer.argmax(-1))

    def scaled(self, x: torch.Tensor) -> torch.Tensor:
        """One of its own methods, which `forward` calls."""
        return x * self.scale


def _double(_module: nn.Module, _inputs: object, answer: torch.Tensor) -> torch.Tensor:
    return answer * 2


def _clamp(_module: nn.Module, _inputs: object, answer: torch.Tensor) -> torch.Tensor:
    return answer.clamp(-1, 1)


def same_answer(_module: nn.Module, _inputs: object, answer: torch.Tensor) -> torch.Tensor:
    """A hook that changes nothing."""
    return answer


def _halve(gradient: torch.Tensor) -> torch.Tensor:
    return gradient / 2


def equipped() -> nn.Module:
    """An `Equipped` of a class of its own, so that an exporter that patches the class harms no other model."""
    own = type("Equipped", (Equipped,), {name: vars(Equipped)[name] for name in ("forward", "scaled", "traced")})
    model: nn.Module = own()
    return model


def wrong_sources() -> Iterator[Specimen]:
    """Exporting changed the source model, or the process."""
    changed = partial(Specimen, family="source", inputs=rows(), fails=("trace",))
    for name, harm in PLAIN_HARMS.items():
        yield changed(build=made.Plain, name=name, family="aliasing", keywords={"export": exporters.after(harm)})
    unties = {"export": exporters.after(exporters.untie_in_place)}
    unties_source = partial(changed, build=made.TiedHead, name="UntiesSource", inputs=ids(), keywords=unties)
    yield unties_source(family="aliasing", also=("tied_weights",))
    # The copy that judges the file has the same class, so a patched class changes its answers too.
    also = {"TiesSource": ("tied_weights",), "ChangesMethodOfClass": ("parity", "shapes")}
    for name, (harm, _) in HARMS.items():
        yield changed(build=equipped, name=name, keywords={"export": exporters.after(harm)}, also=also.get(name, ()))
    for name, (harm, _) in PROCESS_HARMS.items():
        yield changed(build=equipped, name=name, keywords={"export": exporters.after(harm)})
    for name, (build, leave) in SURROUNDING_HARMS.items():
        yield changed(build=build, name=name, keywords={"export": exporters.after(leave)})
    yield changed(build=FillsTable, name="FillsTableInInferenceMode", keywords={"export": in_inference_mode})


def patch_forward(model: nn.Module) -> None:
    """It returns a tuple from then on, as an exporter may need it."""
    old = model.forward
    model.forward = lambda x: (old(x),)


def patch_class(model: nn.Module) -> None:
    """A method that `forward` calls, patched in the class: nothing that the model holds has changed."""
    type(model).scaled = lambda _, x: x * 3  # type: ignore[attr-defined]


def _reorder(model: nn.Module) -> None:
    weight = model.get_submodule("linear")._parameters.pop("weight")
    model.get_submodule("linear").register_parameter("weight", weight)


def _tie(model: Any) -> None:
    model.layers[1].weight = model.layers[0].weight


def _swap_values(model: Any) -> None:
    """Two values far from each other change places."""
    weight = model.linear.weight.data.view(-1)
    weight[[3, 40]] = weight[[40, 3]].clone()


def _swap_layers(model: Any) -> None:
    layers = model.layers
    layers._modules.update({"0": layers[1], "1": layers[0]})


def _set_back_hooks(model: Any) -> None:
    hooks = model.linear._forward_hooks
    hooks.move_to_end(next(iter(hooks)))


def _shorten(model: Any) -> None:
    del model.layers[2]


PLAIN_HARMS: Mapping[str, Harm] = {
    "DoublesSource": lambda model: model.double(),
    "TrainsSource": lambda model: model.train(),
    "GrowsSource": exporters.add_to_weights,
    "FreezesSource": lambda model: model.requires_grad_(requires_grad=False),
    "DropsSourceBias": lambda model: setattr(model.linear, "bias", None),
}

HARMS: Mapping[str, tuple[Harm, str]] = {
    "LeavesFlagSet": (lambda model: setattr(model, "exporting", True), "exporting: False became True"),
    "LeavesNumber": (lambda model: setattr(model, "scale", 3), "scale: 2 became 3"),
    "LeavesText": (lambda model: setattr(model, "style", "plain"), "style: 'scaled' became 'plain'"),
    "LeavesNewFlag": (lambda model: setattr(model, "onnx", True), "onnx is new"),
    "DropsAttribute": (lambda model: delattr(model, "style"), "style is gone"),
    "LeavesForwardPatched": (patch_forward, "forward of the model was replaced"),
    "LeavesInnerForwardPatched": (lambda model: patch_forward(model.linear), "forward of linear was replaced"),
    "AddsHook": (lambda model: model.act.register_forward_hook(_double), "a forward hook of act was added"),
    "AddsPreHook": (
        lambda model: model.act.register_forward_pre_hook(lambda _, inputs: inputs),
        "a forward pre-hook of act was added",
    ),
    "AddsBackwardHook": (
        lambda model: model.linear.register_full_backward_hook(lambda *_: None),
        "a backward hook of linear was added",
    ),
    "AddsStateDictHook": (
        lambda model: model.register_state_dict_post_hook(lambda *_: None),
        "a state-dict hook of the model was added",
    ),
    "RemovesHooks": (lambda model: model.linear._forward_hooks.clear(), "a forward hook of linear was removed"),
    "ReordersHooks": (_set_back_hooks, "the order of the forward hooks of linear changed"),
    "LeavesConfig": (
        lambda model: setattr(model.config, "return_dict", False),
        "config.return_dict: True became False",
    ),
    "LeavesInnerConfig": (lambda model: model.config.scales.update(last=1.0), "config.scales.last: 2.0 became 1.0"),
    "LeavesGenerationConfig": (
        lambda model: setattr(model.generation_config, "max_length", 1),
        "generation_config.max_length: 20 became 1",
    ),
    "SwapsActivation": (lambda model: setattr(model, "act", nn.ReLU()), "act: GELU became ReLU"),
    "ZeroesDropout": (lambda model: setattr(model.drop, "p", 0.0), "drop.p: 0.5 became 0.0"),
    "StopsSavingBuffer": (
        lambda model: model.register_buffer("shift", model.shift, persistent=False),
        "shift is no longer saved in checkpoints",
    ),
    "SavesBuffer": (
        lambda model: model.register_buffer("kept", model.kept, persistent=True),
        "kept is saved in checkpoints now",
    ),
    "AddsModule": (lambda model: model.add_module("head", nn.Linear(7, 7)), "head is new"),
    "RemovesModule": (lambda model: delattr(model, "act"), "act is gone"),
    "ShortensLayers": (_shorten, "layers.2 is gone"),
    "SwapsLayers": (_swap_layers, "layers.0.weight: its values changed"),
    "HalvesSource": (lambda model: model.half(), "shift: dtype torch.float32 became torch.float16"),
    "TrainsPart": (lambda model: model.drop.train(), "the training mode of drop: False became True"),
    "FreezesPart": (
        lambda model: model.linear.bias.requires_grad_(requires_grad=False),
        "linear.bias: requires_grad True became False",
    ),
    "ChangesTable": (lambda model: model.table.mul_(2), "table: its values changed"),
    "ChangesTensorInList": (lambda model: model.steps[0].zero_(), "steps.0: its values changed"),
    "ShortensList": (lambda model: model.steps.pop(), "steps.1 is gone"),
    "ReordersParameters": (_reorder, "the order of the parameters of linear changed"),
    "BufferForParameter": (
        lambda model: model.linear.__setattr__("bias", None) or model.linear.register_buffer("scale", torch.ones(7)),
        "linear.bias is gone",
    ),
    "SwapsValues": (_swap_values, "linear.weight: its values changed"),
    "ChangesMethodOfClass": (patch_class, "scaled of the class Equipped was replaced"),
    "TiesSource": (_tie, "layers.0.weight and layers.1.weight are tied now"),
    **TRAINING_HARMS,
}
"""What an exporter leaves behind in an `Equipped`, and the first words of the report."""

PROCESS_HARMS: Mapping[str, tuple[Harm, str]] = {
    "LeavesDefaultDtype": (
        lambda _: torch.set_default_dtype(torch.float64),
        "torch's default dtype: torch.float32 became torch.float64",
    ),
    "LeavesGradOff": (lambda _: torch.set_grad_enabled(False), "grad mode: True became False"),
    "LeavesAutocastOn": (
        lambda _: torch.set_autocast_enabled(*("cpu", True)),
        "autocast on the CPU: False became True",
    ),
    "LeavesAnomalyDetection": (
        lambda _: torch.autograd.set_detect_anomaly(True),
        "anomaly detection of autograd: False became True",
    ),
    "LeavesDenormalsFlushed": (
        lambda _: torch.set_flush_denormal(True),
        "flushing of denormal numbers: False became True",
    ),
    "ReplacesFunction": (
        lambda _: setattr(torch.nn.functional, "gelu", torch.tanh),
        "torch.nn.functional.gelu was replaced",
    ),
}
"""What an exporter leaves behind in the process, and the first words of the report."""
