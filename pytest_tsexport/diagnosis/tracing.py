"""observations -> rows: faults that the trace itself made: it moved a buffer, or it took torch's fast path."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import nn

from pytest_tsexport.diagnosis.observations import Observations, Rows
from pytest_tsexport.diagnosis.weights import differing_weights
from pytest_tsexport.subjects.reference import Reference, same_bits
from pytest_tsexport.tensors.copies import evaluation_copy
from pytest_tsexport.tensors.named_tensors import named_weights
from pytest_tsexport.tensors.tree import Leaves

CALLS = 3
"""An exporter may call the model more than once: to warm it up, or because torch checks the trace."""

FAST_PATH = frozenset({"_nested_tensor_from_mask", "_transformer_encoder_layer_fwd", "_native_multi_head_attention"})
"""The operators of the fast path of torch's own encoder and attention."""

WITH_FAST_PATH = (nn.TransformerEncoder, nn.TransformerEncoderLayer, nn.MultiheadAttention)
"""The modules that have it; they take it where no gradients are computed."""

PATH = "the fast path of torch's encoder, which packs the rows that are padded and answers zeros at their padding"

SWITCH_OFF = "call torch.backends.mha.set_fastpath_enabled(False) before the model is traced, and before it is judged"


def moved_by_tracing(observed: Observations) -> Rows:
    """The file begins with the buffers of a model that was called with the traced inputs."""
    subject = observed.evidence.subject
    moved = {one.name: one.theirs for one in differing_weights(observed)}
    if not moved:
        return ()
    called = evaluation_copy(subject.model)
    reference = Reference(called, subject.constants)
    for _ in range(CALLS):
        reference.call(called, subject.inputs)
        now = named_weights(called)
        if all(same_bits(now[name].detach().cpu(), one) for name, one in moved.items()):
            names = ", ".join(moved)
            cause = f"tracing is a call: it moved {names}, and the file begins with the moved values"
            fix = f"set {names} back in the traced module before it is saved, or pass the state in and out of forward"
            return ("likely cause", cause), ("fix", fix)
    return ()


def fast_path(observed: Observations) -> Rows:
    """Eager or the file takes torch's fast path; without it, eager equals the file, or a second trace of the model."""
    model = observed.evidence.subject.model
    has_one = any(isinstance(one, WITH_FAST_PATH) for one in model.modules())
    if not has_one or not torch.backends.mha.get_fastpath_enabled():
        return ()
    eager = _eager_without_it(observed)
    answers = [one.artifact.leaves for one in observed.all]
    if all(map(observed.equal, eager, answers)):
        return ("likely cause", f"eager takes {PATH}; the file does not"), ("fix", SWITCH_OFF)
    if not FAST_PATH.isdisjoint(observed.evidence.operators) and _traced_without_it(observed, eager):
        return ("likely cause", f"the trace has frozen {PATH}"), ("fix", SWITCH_OFF)
    return ()


def _eager_without_it(observed: Observations) -> list[Leaves | None]:
    with _no_fast_path():
        return [observed.evidence.reference.case(one.inputs)[0].leaves for one in observed.all]


def _traced_without_it(observed: Observations, eager: Sequence[Leaves | None]) -> bool:
    """Whether a trace without the fast path gives these answers."""
    subject = observed.evidence.subject
    with _no_fast_path():
        graph = observed.evidence.artifact.format.inspector.retraced(subject, subject.inputs)
    if graph is None or len(graph.results) != len(subject.outputs):
        return False
    for one, expected in zip(observed.all, eager, strict=True):
        values = graph.values(tuple(one.inputs.values()), graph.results)
        if values is None or not observed.equal(expected, dict(zip(subject.outputs, values, strict=True))):
            return False
    return True


@contextmanager
def _no_fast_path() -> Iterator[None]:
    was = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(was)
