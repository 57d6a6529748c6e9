"""Reads the steps of a ScriptModule's graph: each tensor that it makes, with the submodule and the line that made it.

The only module that uses torch's private functions on graphs. If one of them is missing, or cannot read a module, the
result is None and nothing is raised: steps explain a verdict and never decide one.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from pytest_tsexport.backends.inspector import Step
from pytest_tsexport.backends.torchscript.tracing import torch_jit_allowed, traced_subject
from pytest_tsexport.subjects.arguments import packed_arguments
from pytest_tsexport.subjects.subject import Subject
from pytest_tsexport.tensors.tree import Leaves

_FRAME = re.compile(r"^(?P<file>.+)\((?P<line>\d+)\): \S+$")
"""A line of a node's source range: `modeling_bert.py(812): forward`, innermost first."""

_CALLED = re.compile(r"(\w+)\((\w+)\)")
"""One submodule of a node's hierarchy: `encoder(BertEncoder)`."""

_WRITES = re.compile(r"aten::\w*[a-z0-9]_")
"""An operator that writes to its first argument."""

_VIEWS = {
    f"aten::{name}"
    for name in (
        "select",
        "slice",
        "view",
        "reshape",
        "narrow",
        "transpose",
        "permute",
        "squeeze",
        "unsqueeze",
        "expand",
    )
}
"""The operators that indexing and reshaping are traced as; each returns a view of its first argument."""

_OURS = Path(__file__).parents[1]
_NOT_THE_MODELS = (str(Path(torch.__file__).parent), str(_OURS.parent / "tensors"))


class ScriptGraph:
    """A ScriptModule with all its submodules in one list of steps, the inputs first.

    `results` are the steps that the output consists of.
    """

    def __init__(self, module: torch.jit.ScriptModule, inputs: int) -> None:
        lowered, weights = torch._C._jit_pass_lower_graph(module.forward.graph, module._c)  # type: ignore[attr-defined]
        self._graph: Any = lowered
        self._module = module  # keeps its functions alive: the graph holds their addresses, and an error prints them
        self._weights = tuple(weights)
        self._where: list[tuple[int, int]] = []
        self._memory: dict[str, list[str]] = {}
        self.steps: list[Step] = [Step(kind="input") for _ in range(inputs)]
        made: dict[str, tuple[int, ...]] = {
            value.debugName(): (place,) for place, value in zip(range(inputs), lowered.inputs(), strict=False)
        }
        for number, node in enumerate(lowered.nodes()):
            self._read(number, node, made)
        self.results = tuple(_sources(lowered.outputs(), made))

    def _read(self, number: int, node: Any, made: dict[str, tuple[int, ...]]) -> None:
        """The steps of one node. A value that is not a tensor stands for the steps that it is made from."""
        sources = tuple(_sources(node.inputs(), made))
        self._share_memory(node)
        for place, value in enumerate(node.outputs()):
            made[value.debugName()] = sources
            if isinstance(value.type(), torch.TensorType) and node.kind() != "prim::NumToTensor":
                made[value.debugName()] = (len(self.steps),)
                self._where.append((number, place))
                scope = tuple(_CALLED.findall(node.getModuleHierarchy()))
                self.steps.append(
                    Step(
                        scope=scope,
                        place=_place(node),
                        kind=node.kind(),
                        made_from=sources,
                        is_constant=node.kind() == "prim::Constant",
                    )
                )

        if _WRITES.fullmatch(node.kind()):
            self._written(node, made)

    def _share_memory(self, node: Any) -> None:
        """Notes that a view has the memory of what it is a view of."""
        given = [value.debugName() for value in node.inputs()][:1]
        for value in node.outputs():
            same = self._memory.setdefault(given[0], [given[0]]) if given and node.kind() in _VIEWS else []
            same.append(value.debugName())
            self._memory[value.debugName()] = same

    def _written(self, node: Any, made: dict[str, tuple[int, ...]]) -> None:
        """From here on, what shares memory with the tensor that a step writes to is made by that step too."""
        target = next(value.debugName() for value in node.inputs())
        step = made[next(value.debugName() for value in node.outputs())]
        for name in self._memory.get(target, [target]):
            if name in made:
                made[name] = tuple(dict.fromkeys((*made[name], *step)))

    def values(self, inputs: Sequence[Any], wanted: Sequence[int]) -> list[torch.Tensor] | None:
        """The values of the `wanted` steps. The graph runs as far as the last of them; None if that raises."""
        given = len(self.steps) - len(self._where)
        asked = [self._where[step - given] for step in wanted if step >= given]
        try:
            computed = iter(self._run(inputs, asked) if asked else ())
        except Exception:  # a graph may raise anything, of any class that its operators use; the result is None then
            return None
        return [inputs[step] if step < given else next(computed) for step in wanted]

    def _run(self, inputs: Sequence[Any], asked: Sequence[tuple[int, int]]) -> tuple[torch.Tensor, ...]:
        """Each value is copied as soon as it is made: a later step may write to it in place."""
        graph = self._graph.copy()
        while list(graph.outputs()):
            graph.eraseOutput(0)
        nodes = list(graph.nodes())
        nothing = graph.prependNode(graph.create("prim::Constant", [], 1)).output()
        nothing.setType(torch._C.NoneType.get())
        for number, place in asked:
            copied = graph.create("aten::clone", [list(nodes[number].outputs())[place], nothing], 1)
            copied.insertAfter(nodes[number])
            graph.registerOutput(copied.output())
        for node in reversed(nodes[max(asked)[0] + 1 :]):
            node.destroy()
        given = tuple(map(_copied, inputs))
        with torch.no_grad():
            values = torch._C._jit_interpret_graph(graph, (*given, *self._weights))  # type: ignore[attr-defined]
        return values if isinstance(values, tuple) else (values,)


def read(module: torch.jit.ScriptModule, inputs: int) -> ScriptGraph | None:
    """The graph of a loaded module that takes so many tensors; None if torch cannot put it into one list."""
    try:
        return ScriptGraph(module, inputs)
    except (AttributeError, TypeError, RuntimeError):  # a private function is gone, has other arguments, or gives up
        return None


def retraced(subject: Subject, inputs: Leaves) -> ScriptGraph | None:
    """The graph of the subject's model, traced at other inputs; None if that raises.

    The trace is saved and loaded first, as an artifact is: that changes the order of its steps.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # this trace is not the export that the user asked for
            takes = packed_arguments(subject.items, tuple(inputs))
            return read(_loaded_back(traced_subject(replace(subject, inputs=inputs))), len(takes))
    except Exception:  # tracing runs the model, which may raise anything
        return None


def _copied(value: Any) -> Any:
    """A tensor that no step can overwrite, or a container of such; a number as it is."""
    if isinstance(value, torch.Tensor):
        return value.detach().cpu().clone()
    if isinstance(value, dict):
        return {key: _copied(one) for key, one in value.items()}
    return type(value)(map(_copied, value)) if isinstance(value, (list, tuple)) else value


def _loaded_back(traced: torch.jit.ScriptModule) -> torch.jit.ScriptModule:
    file = io.BytesIO()
    with torch_jit_allowed():
        torch.jit.save(traced, file)
        file.seek(0)
        module = torch.jit.load(file, map_location="cpu")
    assert isinstance(module, torch.jit.ScriptModule)
    return module


def _sources(values: Iterator[Any], made: Mapping[str, tuple[int, ...]]) -> list[int]:
    return list(dict.fromkeys(step for value in values for step in made.get(value.debugName(), ())))


def _place(node: Any) -> str:
    """The innermost line of the model's own code, as `file.py:12`; empty if no line is known."""
    for text in node.sourceRange().splitlines():
        frame = _FRAME.match(text)
        if frame is None or frame["file"].startswith(str(_OURS)):
            return ""
        if not frame["file"].startswith(_NOT_THE_MODELS):
            return f"{Path(frame['file']).name}:{frame['line']}"
    return ""
