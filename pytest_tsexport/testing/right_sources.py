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
from pytest_tsexport.testing.wrong_sources import equipped, patch_forward, same_answer


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


def _data(model: Any) -> None:
    """The same parameter, with its values at another place."""
    model.linear.weight.data = model.linear.weight.data.clone()


def _handle(model: Any) -> Callable[[], object]:
    """A hook is registered anew, and its handle, which has a new number, is kept on the model."""
    model.handle.remove()

    def register() -> None:
        model.handle = model.layers[2].register_forward_hook(same_answer)

    return register


def _class_value(model: Any) -> Callable[[], object]:
    """A flag of the class, put back as an attribute of the instance."""
    model.traced = True
    return lambda: setattr(model, "traced", False)


def _gradient_hook(model: Any) -> Callable[[], object]:
    remove: Callable[[], object] = model.linear.weight.register_hook(lambda gradient: gradient * 2).remove
    return remove


def _class_method(model: Any) -> Callable[[], object]:
    """A method of the class, replaced by an equal one, and a value of it, both put back."""
    cls, old = type(model), type(model).scaled
    cls.scaled, cls.traced = (lambda self, x: x * self.scale), True

    def undo() -> None:
        cls.scaled, cls.traced = old, False

    return undo


def _drawn(model: Any) -> Callable[[], object]:
    """Draws from the model's own generator, and sets it back."""
    state = model.random.getstate()
    model.random.random()
    return lambda: model.random.setstate(state)


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


def _gradients(model: Any) -> Callable[[], object]:
    """A backward pass, as a calibration does it, and the gradients are dropped."""
    with torch.enable_grad():
        model(torch.ones(2, 7)).sum().backward()
    drop: Callable[[], object] = model.zero_grad
    return drop


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
    "MovesParameterInMemory": _data,
    "RegistersHookAnew": _handle,
    "PutsFlagOfClassBack": _class_value,
    "RemovesItsGradientHook": _gradient_hook,
    "PutsMethodOfClassBack": _class_method,
    "SetsItsGeneratorBack": _drawn,
    "DoublesAndPutsBack": _precision,
    "HalvesACopy": _half_copy,
    "ZeroesDropoutForAWhile": _dropout,
    "FreezesForAWhile": _frozen,
    "DropsItsGradients": _gradients,
    "EvaluatesAgain": _evaluation,
    "LoadsItsOwnStateDict": _state_dict,
    "PutsDefaultDtypeBack": _default_dtype,
    "DrawsRandomNumbers": _random,
    "RegistersBufferAnew": _buffer_names,
}
"""What an exporter does to an `Equipped` before the export, and how it is undone, if it has to be."""
