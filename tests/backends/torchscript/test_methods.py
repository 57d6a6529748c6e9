"""Proves that the methods of a ScriptModule are read: their arguments, defaults, and what they were traced with."""

from __future__ import annotations

import torch
from torch import nn

from pytest_tsexport.backends.torchscript.methods import Parameter, methods_of
from pytest_tsexport.testing.files import quiet

X = torch.ones(2, 3)


class Two(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * 2

    def encode(self, x: torch.Tensor, steps: torch.Tensor) -> torch.Tensor:
        return x + steps


class Scripted(nn.Module):
    def forward(self, x: torch.Tensor, by: float = 2.0, *, mask: torch.Tensor | None) -> torch.Tensor:
        return self.scaled(x, by) if mask is None else x

    def scaled(self, x: torch.Tensor, by: float) -> torch.Tensor:
        return x * by


def test_a_trace_knows_what_each_method_was_traced_with() -> None:
    with quiet():
        made = torch.jit.trace_module(Two(), {"forward": X, "encode": (X, torch.ones(3, dtype=torch.int32))})
    methods = methods_of(made)
    assert list(methods) == ["forward", "encode"]
    assert methods["forward"].traced_at == {"x": ((2, 3), torch.float32)}
    assert methods["encode"].traced_at == {"x": ((2, 3), torch.float32), "steps": ((3,), torch.int32)}


def test_a_scripted_method_has_types_and_defaults() -> None:
    with quiet():
        methods = methods_of(torch.jit.script(Scripted()))
    assert list(methods) == ["forward", "scaled"]
    assert methods["forward"].parameters == (
        Parameter(name="x", type="Tensor"),
        Parameter(name="by", type="float", default="2.0"),
        Parameter(name="mask", type="Optional[Tensor]", keyword_only=True),
    )
    assert methods["forward"].traced_at == {}
    assert methods["forward"].declared == "self, x: Tensor, by: float=2.0, *, mask: Optional[Tensor]"
    assert methods["forward"].passed == "x, by, mask=mask"


def test_how_a_module_is_saved_is_no_method_of_its_callers() -> None:
    class Packed(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x

        @torch.jit.export
        def __getstate__(self) -> tuple[int, bool]:
            return 3, self.training

        @torch.jit.export
        def __setstate__(self, state: tuple[int, bool]) -> None:
            self.training = state[1]

    with quiet():
        made = torch.jit.script(Packed())
    assert "__getstate__" in made._c._method_names()
    assert list(methods_of(made)) == ["forward"]


def test_a_plain_type_holds_no_tensor() -> None:
    plain = ("int", "Optional[List[Tuple[int, str]]]", "Dict[str, float]", "Device")
    other = ("Tensor", "Optional[Tensor]", "List[Tensor]", "Any", "__torch__.Pair", "Dict[str, Tuple[int, Tensor]]")
    assert all(Parameter(name="x", type=one).is_plain for one in plain)
    assert not any(Parameter(name="x", type=one).is_plain for one in other)
