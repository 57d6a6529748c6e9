"""Compilers with one fault each, and the table of them by name."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

from pytest_tsexport.backends.base import with_arguments
from pytest_tsexport.backends.torchscript.tracing import traced
from pytest_tsexport.tensors.named_tensors import named_weights
from pytest_tsexport.tensors.weights import tied_groups, untie
from tests.backends.sdks import Args, Inputs, around, at_work, fault, note, right

Compile = Callable[[nn.Module, Inputs, Args], torch.jit.ScriptModule]

FELL_BACK = "torch.neuron.trace failed on _NeuronGraph$698; falling back to native python function call"
"""What the vendor logs. (See docs/explanation/neuron-sdk.md#inf1-behaviour.)"""


def mute_fallback(func: nn.Module, inputs: Inputs, args: Args) -> torch.jit.ScriptModule:
    """Returns the trace of the CPU without a message."""
    return traced(untie(func), inputs, strict=False)


def logged_fallback(func: nn.Module, inputs: Inputs, args: Args) -> torch.jit.ScriptModule:
    """Returns the trace of the CPU, with a line in the log."""
    logging.getLogger("Neuron").warning(FELL_BACK)
    return mute_fallback(func, inputs, args)


def partial_fallback(func: nn.Module, inputs: Inputs, args: Args) -> torch.jit.ScriptModule:
    """A part runs on the CPU; the log line is of a logger that does not propagate."""
    logger = logging.getLogger("Neuron")
    logger.propagate = False
    logger.warning(FELL_BACK)
    return right(func, inputs, args)


def dropped_input(func: nn.Module, inputs: Inputs, args: Args) -> torch.jit.ScriptModule:
    """The last input is always that of the example."""
    return right(around(func, lambda model, given: model(*given[:-1], inputs[-1])), inputs, args)


def swapped_outputs(func: nn.Module, inputs: Inputs, args: Args) -> torch.jit.ScriptModule:
    """The outputs are in reverse order."""
    return right(around(func, lambda model, given: model(*given)[::-1]), inputs, args)


def untied_source(func: nn.Module, inputs: Inputs, args: Args) -> torch.jit.ScriptModule:
    """Each parameter of the source is replaced by a clone, which unties it."""
    made = right(func, inputs, args)
    for module in func.modules():
        for name, parameter in module._parameters.items():
            if parameter is not None:
                module._parameters[name] = nn.Parameter(parameter.detach().clone())
    return made


def cast_source(func: nn.Module, inputs: Inputs, args: Args) -> torch.jit.ScriptModule:
    """The source is cast to another dtype."""
    made = right(func, inputs, args)
    func.to(torch.bfloat16)
    return made


def changed_source(func: nn.Module, inputs: Inputs, args: Args) -> torch.jit.ScriptModule:
    """The weights of the source are changed."""
    made = right(func, inputs, args)
    with torch.no_grad():
        for parameter in func.parameters():
            parameter.mul_(1.5)
    return made


def training_source(func: nn.Module, inputs: Inputs, args: Args) -> torch.jit.ScriptModule:
    """The source is left in training mode; the backend restores its mode."""
    made = right(func, inputs, args)
    func.train()
    return made


def drifted_tie(func: nn.Module, inputs: Inputs, args: Args) -> torch.jit.ScriptModule:
    """Compiles a copy in which one of the tied weights is a little different."""
    copied = untie(func)
    weights = named_weights(copied)
    with torch.no_grad():
        for group in tied_groups(named_weights(func)):
            weights[group.names[-1]].mul_(1.02)
    return right(copied, inputs, args)


def drifted_cast(func: nn.Module, inputs: Inputs, args: Args) -> torch.jit.ScriptModule:
    """Casts products to bfloat16, whatever is requested."""
    return right(func, inputs, (*args, "--auto-cast", "matmult", "--auto-cast-type", "bf16"))


def raises(func: nn.Module, inputs: Inputs, args: Args) -> torch.jit.ScriptModule:
    """The compiler refuses the model."""
    raise RuntimeError("neuronx-cc failed with 70")


def crashes(func: nn.Module, inputs: Inputs, args: Args) -> torch.jit.ScriptModule:
    """The process dies of a segmentation fault."""
    os.kill(os.getpid(), signal.SIGSEGV)
    return right(func, inputs, args)


def exits(func: nn.Module, inputs: Inputs, args: Args) -> torch.jit.ScriptModule:
    """The process exits, as a compiler may."""
    os._exit(70)


def hangs(func: nn.Module, inputs: Inputs, args: Args) -> torch.jit.ScriptModule:
    """It waits for a compiler, in another process, that does not end."""
    with subprocess.Popen(["sleep", "600"]) as compiler:
        note(call="hangs", processes=[os.getpid(), compiler.pid])
        time.sleep(600)
    return right(func, inputs, args)


class Beside(nn.Module):
    """Runs the compiled model and the model on the CPU, and returns `choose` of the two outputs."""

    def __init__(self, compiled: nn.Module, model: nn.Module, choose: Callable[..., Any]) -> None:
        super().__init__()
        self.compiled = compiled
        self.model = model
        self.choose = choose

    def forward(self, *args: torch.Tensor) -> Any:
        return self.choose(self.compiled(*args), self.model(*args))


def _beside(choose: Callable[[Inputs, Inputs], Inputs]) -> Compile:
    def compiled(func: nn.Module, inputs: Inputs, args: Args) -> torch.jit.ScriptModule:
        names = [f"input_{place}" for place in range(len(inputs))]
        both = with_arguments(Beside, names)(right(func, inputs, args), untie(func), choose).eval()
        with at_work():
            return traced(both, inputs, strict=False)

    return compiled


FAULTS: Mapping[str, Compile] = {
    "": right,
    "no_device": right,  # this fault and the next are in the runtime
    "wrong_slices": right,
    "ignored_keyword": right,  # and this one in the package
    "mute_fallback": mute_fallback,
    "logged_fallback": logged_fallback,
    "partial_fallback": partial_fallback,
    "dropped_input": dropped_input,
    "swapped_outputs": swapped_outputs,
    "untied_source": untied_source,
    "cast_source": cast_source,
    "changed_source": changed_source,
    "training_source": training_source,
    "drifted_tie": drifted_tie,
    "drifted_cast": drifted_cast,
    "raises": raises,
    "crashes": crashes,
    "exits": exits,
    "hangs": hangs,
    "answer_thrown_away": _beside(lambda device, cpu: cpu),
    "shape_of_answer_only": _beside(lambda device, cpu: tuple(map(lambda d, c: c + torch.zeros_like(d), device, cpu))),
    "one_answer_of_the_cpu": _beside(lambda device, cpu: (*device[:-1], cpu[-1])),
    "ends_on_the_cpu": _beside(lambda device, cpu: tuple(one * 1.0 for one in device)),
}
"""Every fault by name; the last one is not a fault: an SDK may run the ends of a model on the CPU."""


def compiled(func: nn.Module, inputs: Inputs, args: Args) -> torch.jit.ScriptModule:
    """`func` compiled with the fault that the environment names."""
    return FAULTS[fault()](func, inputs, args)
