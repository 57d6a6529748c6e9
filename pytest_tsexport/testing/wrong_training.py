"""nothing -> what an exporter may leave changed in a model that shows in its training alone, and not in its answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from pytest_tsexport.testing import exporters
from pytest_tsexport.testing import wrong_exports as made
from pytest_tsexport.testing.specimen import Inputs


class FillsTable(made.Plain):
    """Right: it makes its table once, for each width."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: dict[int, torch.Tensor] = {}

    def forward(self, x: torch.Tensor) -> Any:
        if x.shape[1] not in self.tables:
            self.tables[x.shape[1]] = torch.linspace(0, 1, 7)
        return super().forward(x) * self.tables[x.shape[1]]


def in_inference_mode(model: nn.Module, inputs: Inputs, path: Path) -> None:
    """Autograd refuses the table that is made meanwhile."""
    with torch.inference_mode():
        exporters.plain(model, inputs, path)


def _replace_parameter(model: Any) -> None:
    model.linear.weight = nn.Parameter(model.linear.weight.detach().clone())


def _leave_gradients(model: Any) -> None:
    with torch.enable_grad():
        model(torch.ones(2, 7)).sum().backward()


def _change_class_of_weight(model: Any) -> None:
    model.linear.weight.__class__ = type("Tagged", (nn.Parameter,), {})


TRAINING_HARMS: Mapping[str, tuple[Callable[[Any], object], str]] = {
    "ReplacesParameter": (
        _replace_parameter,
        "linear.weight was replaced by an equal one: an optimizer that holds the old one trains nothing",
    ),
    "LeavesGradients": (_leave_gradients, "linear.weight.grad is new"),
    "RemovesGradientHook": (
        lambda model: model.layers[1].weight._backward_hooks.clear(),
        "a gradient hook of layers.1.weight was removed",
    ),
    "AddsPostAccumulateHook": (
        lambda model: model.linear.bias.register_post_accumulate_grad_hook(lambda _: None),
        "a post-accumulate hook of linear.bias was added",
    ),
    "DropsNoteOnParameter": (lambda model: vars(model.layers[1].weight).clear(), "layers.1.weight.no_decay is gone"),
    "ChangesClassOfParameter": (_change_class_of_weight, "linear.weight: its class Parameter became Tagged"),
    "DetachesFlatWeights": (
        lambda model: setattr(model.rnn, "_flat_weights", [one.detach().clone() for one in model.rnn._flat_weights]),
        "rnn._flat_weights.0 is a copy of a weight now: training does not reach it",
    ),
    "ChangesValueOfClass": (
        lambda model: setattr(type(model), "traced", True),
        "the class Equipped.traced: False became True",
    ),
    "AddsValueToClass": (
        lambda model: setattr(type(model), "exported", True),
        "the class Equipped.exported is new",
    ),
    "SeedsItsRandom": (lambda model: model.random.seed(0), "random.state: its values changed"),
    "ChangesBytes": (lambda model: model.flags.__setitem__(1, 7), "flags.values: its values changed"),
    "ChangesArray": (lambda model: model.rates.__setitem__(1, 7.0), "rates.values: its values changed"),
    "ChangesLongList": (lambda model: model.long.__setitem__(10_000, 0.0), "long.values: its values changed"),
}
"""What an exporter leaves behind in an `Equipped`, and the first words of the report."""
