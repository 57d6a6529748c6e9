"""traced module -> steps: the tensors that it makes in turn, each with the submodule and the line that made it.

The one door to torch's private functions on graphs. Where one of them is gone, or cannot read a module, the answer is
None and nothing is raised: what is told from here explains a verdict and never makes one.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from pytest_tsexport.backends.jit import Jit, torch_jit_allowed
from pytest_tsexport.subjects.subject import Subject
from pytest_tsexport.tensors.tree import Leaves

_FRAME = re.compile(r"^(?P<file>.+)\((?P<line>\d+)\): \S+$")
"""A line of a node's source range: `modeling_bert.py(812): forward`, innermost first."""

_CALLED = re.compile(r"(\w+)\((\w+)\)")
"""One submodule of a node's hierarchy: `encoder(BertEncoder)`."""

_OURS = Path(__file__).parent
_NOT_THE_MODELS = (str(Path(torch.__file__).parent), str(_OURS.parent / "tensors"))

Scope = tuple[tuple[str, str], ...]
"""Attribute and class of each module that was called, the outermost first: no containers, which nobody calls."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One tensor of a trace: the `scope` and `place` that made it, by which operator, from which earlier steps.

    `place` is `file.py:12`, empty where torch kept none.
    """

    scope: Scope = ()
    place: str = ""
    kind: str
    made_from: tuple[int, ...] = ()


class Graph:
    """A trace with all its submodules in one list of steps, the inputs first; any of them can be asked for its value.

    `results` are the steps that the answer consists of.
    """

    def __init__(self, module: torch.jit.ScriptModule, inputs: int) -> None:
        lowered, weights = torch._C._jit_pass_lower_graph(module.forward.graph, module._c)  # type: ignore[attr-defined]
        self._graph: Any = lowered
        self._module = module  # its functions stand in the graph by address: an error that names one would crash else
        self._weights = tuple(weights)
        self._where: list[tuple[int, int]] = []
        self.steps: list[Step] = [Step(kind="input") for _ in range(inputs)]
        made: dict[str, tuple[int, ...]] = {
            value.debugName(): (place,) for place, value in zip(range(inputs), lowered.inputs(), strict=False)
        }
        for number, node in enumerate(lowered.nodes()):
            self._read(number, node, made)
        self.results = tuple(_sources(lowered.outputs(), made))

    def _read(self, number: int, node: Any, made: dict[str, tuple[int, ...]]) -> None:
        """The steps of one node; what is no tensor stands for those that it is made from."""
        sources = tuple(_sources(node.inputs(), made))
        for place, value in enumerate(node.outputs()):
            made[value.debugName()] = sources
            if isinstance(value.type(), torch.TensorType) and node.kind() != "prim::NumToTensor":
                made[value.debugName()] = (len(self.steps),)
                self._where.append((number, place))
                scope = tuple(_CALLED.findall(node.getModuleHierarchy()))
                self.steps.append(Step(scope=scope, place=_place(node), kind=node.kind(), made_from=sources))

    def values(self, inputs: Sequence[torch.Tensor], wanted: Sequence[int]) -> list[torch.Tensor] | None:
        """The values of the `wanted` steps, computed as far as the last of them; None where that raises."""
        given = len(self.steps) - len(self._where)
        asked = [self._where[step - given] for step in wanted if step >= given]
        try:
            computed = iter(self._run(inputs, asked) if asked else ())
        except Exception:  # a graph may raise anything at all; that it does is the answer
            return None
        return [inputs[step] if step < given else next(computed) for step in wanted]

    def _run(self, inputs: Sequence[torch.Tensor], asked: Sequence[tuple[int, int]]) -> tuple[torch.Tensor, ...]:
        """Copies, taken as each value is made: a later step may write to it in place."""
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
        given = tuple(tensor.detach().cpu().clone() for tensor in inputs)
        with torch.no_grad():
            values = torch._C._jit_interpret_graph(graph, (*given, *self._weights))  # type: ignore[attr-defined]
        return values if isinstance(values, tuple) else (values,)


def read(module: torch.jit.ScriptModule, inputs: int) -> Graph | None:
    """The graph of a loaded module that takes so many tensors; None where torch cannot put it into one list."""
    try:
        return Graph(module, inputs)
    except (AttributeError, TypeError, RuntimeError):  # a function that is gone, that was changed, that gives up
        return None


def retraced(subject: Subject, inputs: Leaves) -> Graph | None:
    """The graph of the subject's model traced again at other inputs; None where that raises.

    It is read as loaded back, as an artifact is: what is printed and parsed has its steps in another order.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a second time, of a trace that nobody asked for
            return read(_loaded_back(Jit().trace(replace(subject, inputs=inputs))), len(inputs))
    except Exception:  # tracing runs the model, which may raise anything at all
        return None


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
    """The innermost line that is the model's own, and not torch's."""
    for text in node.sourceRange().splitlines():
        frame = _FRAME.match(text)
        if frame is None or frame["file"].startswith(str(_OURS)):
            return ""
        if not frame["file"].startswith(_NOT_THE_MODELS):
            return f"{Path(frame['file']).name}:{frame['line']}"
    return ""
