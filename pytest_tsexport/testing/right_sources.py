"""nothing -> specimens: exporters that leave the model as it was, although something changed meanwhile."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from pytest_tsexport.testing import exporters
from pytest_tsexport.testing import right_state as state
from pytest_tsexport.testing import right_weights as weights
from pytest_tsexport.testing import wrong_exports as made
from pytest_tsexport.testing.files import quiet
from pytest_tsexport.testing.specimen import Inputs, Specimen, Writer, each, ids, rows
from pytest_tsexport.testing.wrong_sources import equipped, patch_forward


def right_sources() -> Iterator[Specimen]:
    """Nothing is left changed."""
    looks = partial(Specimen, family="source", inputs=rows())
    for name, change in CHANGES.items():
        yield looks(build=equipped, name=name, keywords={"export": with_change(change)})
    called = partial(looks, keywords={"export": exporters.plain})
    one_width = {"export": exporters.plain, "dynamic_shapes": {"x": {0: "batch"}}}
    yield looks(build=state.MemoisesMasks, keywords=one_width)
    yield from each(called, state.CachesByDecorator, state.KeepsItsSize, state.KeepsItsLastInput)
    for model in (state.CachesTable, state.CountsUnseen, state.FlipsOnShortInput, state.RewritesBuffer):
        yield called(build=model, name=f"{model.__name__}Called")
    yield called(build=weights.Hooked, name="HookedBefore")
    yield looks(build=state.LengthensTable, name="CachesOtherLength", keywords={"export": _at_another_length})
    yield looks(build=made.TiedHead, name="TiedScripted", inputs=ids(), keywords={"export": _scripts_it_too})


def _at_another_length(model: nn.Module, inputs: Inputs, path: Path) -> None:
    """Calls the model itself at a length that the example inputs do not have."""
    model(torch.ones(2, 40))
    exporters.careful(model, inputs, path)


def _scripts_it_too(model: nn.Module, inputs: Inputs, path: Path) -> None:
    """`torch.jit.script` reads the model itself, and leaves a note on each module."""
    with quiet():
        torch.jit.script(model)
    exporters.careful(model, inputs, path)


def with_change(change: Callable[[Any], Callable[[], object] | None]) -> Writer:
    """Changes the source model, exports it, and undoes the change by what `change` returned."""

    def export(model: nn.Module, inputs: Inputs, path: Path) -> None:
        undo = change(model)
        try:
            exporters.careful(copy.deepcopy(model), inputs, path)
        finally:
            if undo is not None:
                undo()

    return export


def _flag(model: Any) -> Callable[[], object]:
    model.style = "exporting"
    return lambda: setattr(model, "style", "scaled")


def _forward(model: Any) -> Callable[[], object]:
    """Puts the old `forward` back by assignment, so that it is an attribute of the instance from then on."""
    old = model.forward
    patch_forward(model)
    model.forward = old
    return lambda: setattr(model, "forward", old)


def _deleted_forward(model: Any) -> Callable[[], object]:
    patch_forward(model.linear)
    del model.linear.forward
    return lambda: None


def _hook(model: Any) -> Callable[[], object]:
    remove: Callable[[], object] = model.act.register_forward_hook(lambda *_: None).remove
    return remove


def _config(model: Any) -> None:
    """An equal object takes the place of the config."""
    model.config = copy.deepcopy(model.config)


def _containers(model: Any) -> None:
    """Equal containers and tensors take the place of the old ones."""
    model.steps = [step.clone() for step in model.steps]
    model.config.scales = dict(model.config.scales)


def _parameter(model: Any) -> None:
    """An equal parameter under the same name."""
    model.linear.weight = nn.Parameter(model.linear.weight.detach().clone())


def _precision(model: Any) -> None:
    """To float64 and back, which changes no float32."""
    model.double().float()


def _half_copy(model: Any) -> None:
    copy.deepcopy(model).half()


def _dropout(model: Any) -> Callable[[], object]:
    model.drop.p = 0.0
    return lambda: setattr(model.drop, "p", 0.5)


def _frozen(model: Any) -> Callable[[], object]:
    model.requires_grad_(requires_grad=False)
    return lambda: model.requires_grad_(requires_grad=True)


def _gradients(model: Any) -> None:
    """A backward pass, as a calibration does it: gradients stay in `.grad`."""
    with torch.enable_grad():
        model(torch.ones(2, 7)).sum().backward()


def _evaluation(model: Any) -> None:
    with torch.no_grad(), torch.inference_mode():
        model.eval()(torch.ones(2, 7))


def _state_dict(model: Any) -> None:
    model.load_state_dict(copy.deepcopy(model.state_dict()))


def _default_dtype(_model: Any) -> Callable[[], object]:
    torch.set_default_dtype(torch.float64)
    return lambda: torch.set_default_dtype(torch.float32)


def _random(_model: Any) -> None:
    """Draws and seeds: where random numbers stand is nobody's."""
    torch.manual_seed(3)
    torch.randn(9)


def _buffer_names(model: Any) -> None:
    """Registers a buffer anew as it was."""
    model.register_buffer("kept", model.kept, persistent=False)


def _equal_hook(model: Any) -> None:
    """A hook of the same code under another number, after it was removed."""
    hook = model.layers[0].register_forward_hook(lambda _module, _inputs, answer: answer)
    hook.remove()


CHANGES: Mapping[str, Callable[[Any], Callable[[], object] | None]] = {
    "PutsFlagBack": _flag,
    "PutsForwardBack": _forward,
    "DeletesPatchedForward": _deleted_forward,
    "RemovesItsHook": _hook,
    "RemovesHookAtOnce": _equal_hook,
    "SwapsConfigForEqualOne": _config,
    "SwapsContainersForEqualOnes": _containers,
    "SwapsParameterForEqualOne": _parameter,
    "DoublesAndPutsBack": _precision,
    "HalvesACopy": _half_copy,
    "ZeroesDropoutForAWhile": _dropout,
    "FreezesForAWhile": _frozen,
    "LeavesGradients": _gradients,
    "EvaluatesAgain": _evaluation,
    "LoadsItsOwnStateDict": _state_dict,
    "PutsDefaultDtypeBack": _default_dtype,
    "DrawsRandomNumbers": _random,
    "RegistersBufferAnew": _buffer_names,
}
"""What an exporter does to an `Equipped` before the export, and how it is undone, if it has to be."""
