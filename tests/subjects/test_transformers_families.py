"""Proves for every family and head that eager runs on the derived inputs, at the traced size and at another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import pytest
import torch

from pytest_tsexport.subjects.fields import Description
from pytest_tsexport.subjects.transformers import describe
from tests.subjects.families import build, families

# Transformers 4 warns of changes in version 5, and uses an index that torch has deprecated.
pytestmark = [
    pytest.mark.filterwarnings(r"ignore:.* will be removed in v(ersion )?5:FutureWarning"),
    pytest.mark.filterwarnings("ignore:Using a non-tuple sequence for multidimensional indexing:UserWarning"),
]

EVERY = [(name, head) for name, heads in families().items() for head in heads]
OTHER = {"batch": 3, "choices": 2, "sequence": 9, "decoder_sequence": 4}


def leaves(output: object) -> Iterator[torch.Tensor]:
    if isinstance(output, torch.Tensor):
        yield output
    elif isinstance(output, (Mapping, list, tuple)):
        parts: Iterable[object] = output.values() if isinstance(output, Mapping) else output
        for part in parts:
            yield from leaves(part)
    else:
        assert output is None, f"{type(output).__name__} in the output"


def answers(model: torch.nn.Module, description: Description, **sizes: int) -> list[torch.Tensor]:
    """What eager answers at the described sizes, and at `sizes` along the axes that have more than one."""
    free = {axis.name: axis.size if axis.high == 1 else sizes.get(axis.name, axis.size) for axis in description.axes}
    inputs = {one.name: one.draw(free, 5, one.domain.pattern("uniform", "ones")) for one in description.fields}
    with torch.no_grad():
        return list(leaves(model.eval()(**inputs, **description.constants)))


@pytest.mark.parametrize(("name", "head"), EVERY)
def test_eager_runs_on_derived_inputs(name: str, head: str) -> None:
    model = build(name, head)
    config = model.config.to_json_string()
    description = describe(model)
    assert description is not None
    for sizes in ({}, OTHER):
        outputs = answers(model, description, **sizes)
        assert outputs
        assert all(torch.isfinite(output).all() for output in outputs if output.is_floating_point())
    assert model.config.to_json_string() == config


@pytest.mark.parametrize("name", list(families()))
def test_the_traced_sizes_are_all_different_and_never_one(name: str) -> None:
    description = describe(build(name))
    assert description is not None
    sizes = [axis.size for axis in description.axes if axis.high != 1]
    assert len(set(sizes)) == len(sizes)
    assert 1 not in sizes


BOUNDED = {
    "bert": 48,
    "roberta": 48,  # a table of 50, counted from the row of the padding id on
    "distilbert": 48,
    "longformer": 48,
    "nystromformer": 48,  # a table of 50, and numbers for 48
    "ibert": 48,
    "canine": 48,
    "clip_text": 48,
    "gpt2": 48,
    "gptj": 48,  # a table of sines, in a buffer
    "opt": 48,  # a table of 50, the first two rows for no position
    "ctrl": 48,
    "bart": 48,
    "marian": 48,
    "led": 48,
}


@pytest.mark.parametrize("name", BOUNDED)
def test_the_bound_is_the_longest_sequence_that_eager_takes(name: str) -> None:
    model = build(name)
    description = describe(model)
    assert description is not None
    (axis,) = (axis for axis in description.axes if axis.name == "sequence")
    assert axis.high == BOUNDED[name]
    assert answers(model, description, sequence=axis.high)
    with pytest.raises((RuntimeError, IndexError, ValueError)):
        answers(model, description, sequence=axis.high + 1)


UNBOUNDED = ("llama", "llama_dynamic_rope", "mistral", "gpt_neox", "falcon", "t5", "xlnet", "funnel", "bloom", "mamba")


@pytest.mark.parametrize("name", UNBOUNDED)
def test_relative_and_rotary_positions_do_not_bound(name: str) -> None:
    model = build(name)
    description = describe(model)
    assert description is not None
    assert all(axis.high is None for axis in description.axes)
    assert answers(model, description, sequence=70)


EDGES = {
    "longformer": (8,),
    "mistral": (8, 48),
    "gpt_neo": (8, 48),
    "modernbert": (8, 48),
    "llama_dynamic_rope": (8,),
    "t5": (8, 128),
    "big_bird": (4, 48),
    "deberta_v2": (8, 48),
    "phi3": (48, 4096),
    "longt5": (4, 16, 32, 128),
    "reformer": (4, 48),
    "bloom": (),
}


@pytest.mark.parametrize("name", EDGES)
def test_edges_are_found_in_the_config(name: str) -> None:
    description = describe(build(name))
    assert description is not None
    (axis,) = (axis for axis in description.axes if axis.name == "sequence")
    assert axis.edges == EDGES[name]
