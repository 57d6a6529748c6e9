"""What torch says when a trace, a save or a load fails: what it means, and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from traceback import walk_tb

import torch

from pytest_tsexport.config.shown import message_of

OPERATOR = re.compile(r"Unknown builtin op: ([\w.:]+\w)")
CLASS = re.compile(r"Unknown type name '__torch__\.torch\.classes\.([\w.]+)'")

MODULES: Mapping[str, str] = {
    "neuron": "torch_neuronx",
    "neuron_sim": "pytest_tsexport.backends.simulator.device",
    "torchaudio": "torchaudio",
    "torchvision": "torchvision",
}
"""Which module registers the operators and classes of a namespace that is not torch's own."""

UNTRACED = "unordered_map::at"
"""What torch says if a traced tensor went through code that the tracer does not follow."""

THROUGH: Mapping[str, tuple[str, str]] = {
    "masking_utils.py": (
        "torch.jit.trace cannot follow a torch.func transform; Transformers builds masks with vmap: 4.53 to 4.57 each "
        "mask, 5 that of a model with a mask function of its own",
        "use Transformers 5 if this is 4, or pass a 4-D attention mask",
    ),
    "_functorch": (
        "torch.jit.trace cannot follow a torch.func transform, such as vmap",
        "write out in forward what that transform computes",
    ),
    "autograd/function.py": (
        "torch.jit.trace cannot follow a torch.autograd.Function that is given modules or lists beside tensors",
        "in evaluation mode call what that function computes, without .apply",
    ),
}
"""By a file that the traceback passes: what the tracer does not follow, and what to do."""

EXPLAINED: Mapping[str, tuple[str, str]] = {
    UNTRACED: (
        "torch.jit.trace cannot follow a torch.func transform (vmap), or an autograd.Function that is given modules",
        "write out in forward what that transform or function computes",
    ),
    "required keyword attribute 'value' is undefined": (
        "optimize_for_inference packs weights for this machine, and what it makes cannot be loaded from a file",
        "save the frozen module; optimise it where it runs, after torch.jit.load",
    ),
    "dynamic batching needs one size": (
        "an input or an output has no row for each row of the batch, so that a batch cannot be cut into slices",
        "declare shapes={'batch': 'fixed'}, or give each input and output the batch as its first dimension",
    ),
    "doesn't define __round__": (
        "while torch traces, a size is a tensor, and round() takes none",
        "convert sizes before that: round(int(size) / 2); `shapes` then says whether the file is right at other sizes",
    ),
    "Could not export Python function call": (
        "it traces and cannot be saved: a torch.autograd.Function of the model has no TorchScript form",
        "replace that function in evaluation mode (BloomGelu by its plain forward, for one)",
    ),
    "Tracer cannot infer type": (
        "its output holds a value that is not a tensor",
        "return tensors, or nested tuples and dicts of them",
    ),
    "expected newline but found 'number'": (
        "a part of the name of the module of one of its classes begins with a digit, and torch cannot read that again",
        "define the class in a module with a plain name; code of a checkpoint gets such a name from its hash",
    ),
    "don't support parameter sharing": (
        "one module holds one parameter under two names",
        "give the module one name for it, or export through untie(model)",
    ),
}
"""By a part of torch's message: what it means, and what to do."""


def explained(error: BaseException) -> tuple[str, str] | None:
    """What a failed trace, save or load means, and how to fix it; None for a message that is not known."""
    if UNTRACED in message_of(error):
        passed = [one.f_code.co_filename for one, _ in walk_tb(error.__traceback__)]
        for part, known in THROUGH.items():
            if any(part in file for file in passed):
                return known
    return next((known for part, known in EXPLAINED.items() if part in message_of(error)), None)


def needed(error: Exception) -> str | None:
    """What a file needs that is not loaded, by what torch raised, and where it comes from; None for another error."""
    operator, custom = OPERATOR.search(message_of(error)), CLASS.search(message_of(error))
    found = operator or custom
    if found is None:
        return None
    name = found[1].replace("::", ".")
    namespace = name.partition(".")[0]
    what = f"needs the {'operator' if operator else 'class'} {found[1]}"
    if namespace in ("aten", "prim", "quantized"):
        return f"{what}, which torch {torch.__version__} does not have; use the torch that it was written with"
    who = MODULES.get(namespace, "the module that registers it")
    how = f"import {who} in conftest.py, or load its library with torch.ops.load_library"
    return f"{what}, which is not loaded here; {how}"
