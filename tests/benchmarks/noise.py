"""Measures how far two computations are apart, in units of the measured noise: `python -m tests.benchmarks.noise`.

For each pair of `noise_pairs`, and for families of Transformers whose fused attention is replaced by its formula, it
prints the largest ratio of a difference to the noise at that very element. A right one should stay below the factor
that is allowed (32, and 8 in half precision), a wrong one above it.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import torch
from torch import nn

from pytest_tsexport.comparison.factors import confirmed, times
from pytest_tsexport.comparison.metrics import distances
from pytest_tsexport.comparison.tolerance import OutputTolerance
from pytest_tsexport.comparison.variants import FIRST_TIMES, WIDER, CaseVariants, Variant, Variants
from pytest_tsexport.subjects.reference import Inputs, Reference
from pytest_tsexport.tensors.tree import Leaves
from tests.benchmarks.noise_pairs import COARSER, LENGTH, RIGHT, WIDTH, WRONG, Pair

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
SEEDS = 12
"""Inputs of each pair."""


def ratio(model: nn.Module, inputs: Inputs, other: Leaves) -> float:
    """The largest difference between eager's answer and `other`, in units of the noise at that very element."""
    variants = Variants(_subject(model, inputs))
    asked = CaseVariants(variants, lambda reference, converted, _calls: reference.case(converted(inputs)))
    eager = asked.leaves(Variant("unmoved"), 0)
    assert eager is not None
    nudged = [asked.leaves(Variant("moved", number), 0) for number, _ in enumerate(FIRST_TIMES)]
    wider = asked.leaves(WIDER, 0)
    worst = 0.0
    for name, leaf in eager.items():
        if leaf.is_floating_point() and leaf.shape == other[name].shape:
            moved = torch.stack([_moved(leaf, one[name]) for one in nudged if one is not None]).amax(0)
            noise = confirmed(torch.zeros_like(moved) if wider is None else _moved(leaf, wider[name]), moved)
            off = distances(leaf, other[name]) - OutputTolerance(name=name).allowed(leaf).nan_to_num(0.0)
            ratios = torch.where(off > 0, off / noise.clamp_min(1e-300), torch.zeros_like(off))
            worst = max(worst, float(ratios.max()))
    return worst


def _moved(leaf: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    return distances(leaf, other).nan_to_num(0.0, 0.0, 0.0)


def measured(ways: tuple[Any, Any], dtype: torch.dtype) -> list[float]:
    """The ratios of one pair over drawn inputs; every third input is ten times as large."""
    found = []
    for seed in range(SEEDS):
        x = torch.randn(2, LENGTH, WIDTH, generator=torch.Generator().manual_seed(seed)) * (10 if seed % 3 == 2 else 1)
        inputs = {"x": x.to(dtype)}
        other = Pair(ways, dtype)
        other.other = True
        with torch.no_grad():
            found.append(ratio(Pair(ways, dtype), inputs, {"output": other(**inputs)}))
    return found


def of_family(name: str, dtype: torch.dtype) -> list[float]:
    """The ratios of one family: its attention is fused in one model, and written out in the other."""
    from pytest_tsexport.cases.case import at, tensors
    from pytest_tsexport.config.marker import Meaning
    from pytest_tsexport.subjects.build import build
    from tests.subjects.families import build as family

    model = family(name).to(dtype).eval()
    subject = build(model, Meaning(), name=name)
    twin = family(name).to(dtype).eval()
    twin.load_state_dict(model.state_dict())
    implementations = ("sdpa", "eager")
    for one, implementation in zip((model, twin), implementations, strict=True):
        one.set_attn_implementation(implementation)
    found = []
    for seed in range(SEEDS):
        inputs = tensors(at(subject, {}, seed), subject)
        answers = Reference(twin, subject.constants).case(inputs)[0].leaves
        if answers is not None:
            found.append(ratio(_with(model, subject.constants), inputs, answers))
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--families", default="", help="comma-separated; `all` for every family of the tests")
    parser.add_argument("--dtypes", default=",".join(DTYPES))
    given = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    for dtype in given.dtypes.split(","):
        sys.stdout.write(f"{dtype}, allowed {times(half=dtype != 'float32'):.0f}\n")
        for kind, pairs in (("right", RIGHT), ("coarser", COARSER), ("wrong", WRONG)):
            _print(kind, {name: measured(ways, DTYPES[dtype]) for name, ways in pairs.items()})
        if given.families:
            _print("family", dict(_families(_named(given.families), DTYPES[dtype])))


def _families(names: Sequence[str], dtype: torch.dtype) -> Iterator[tuple[str, list[float]]]:
    for name in names:
        try:
            found = of_family(name, dtype)
        except Exception as error:  # some families have one attention only, and some refuse half precision
            sys.stdout.write(f"  family   {name}: {type(error).__name__}: {str(error).splitlines()[0][:80]}\n")
            continue
        if found:
            yield name, found


def _named(families: str) -> Sequence[str]:
    from tests.subjects.families import families as known

    return list(known()) if families == "all" else families.split(",")


def _print(kind: str, found: Mapping[str, list[float]]) -> None:
    for name, ratios in sorted(found.items(), key=lambda pair: max(pair[1])):
        sys.stdout.write(f"  {kind:7}  {name:38}  least {min(ratios):9.2g}  most {max(ratios):9.2g}\n")
        sys.stdout.flush()


def _subject(model: nn.Module, inputs: Inputs) -> Any:
    return SimpleNamespace(reference=model, constants={}, inputs=inputs)


def _with(model: nn.Module, constants: Mapping[str, Any]) -> nn.Module:
    return _Bound(model, constants) if constants else model


class _Bound(nn.Module):
    """A model with its constants."""

    def __init__(self, model: nn.Module, constants: Mapping[str, Any]) -> None:
        super().__init__()
        self.model = model
        self.constants = dict(constants)

    def forward(self, **inputs: torch.Tensor) -> Any:
        return self.model(**inputs, **self.constants)


if __name__ == "__main__":
    main()
