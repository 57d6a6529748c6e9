"""Proves that every kind of ScriptModule can be guarded: frozen, scripted, with several methods, of every dtype."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from torch import nn

from pytest_tsexport import InputsError, guard

pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")

X = torch.linspace(-1, 1, 14).view(2, 7)
Script = torch.jit.ScriptModule


class Plain(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(7, 7)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.linear(x)  # type: ignore[no-any-return]


class Scores(Plain):
    """Methods, an attribute, and arguments that may be left out."""

    def __init__(self) -> None:
        super().__init__()
        self.version = 3

    def forward(
        self, x: torch.Tensor, by: float = 2.0, mask: torch.Tensor | None = None, tag: str = "it's"
    ) -> torch.Tensor:
        scores = self.shifted(x) * by
        return scores if mask is None or tag == "no mask" else scores * mask

    def shifted(self, x: torch.Tensor) -> torch.Tensor:
        return self.linear(x) + self.version  # type: ignore[no-any-return]

    @torch.jit.export
    def words(self) -> int:
        return self.version


class Encodes(Plain):
    def encode(self, x: torch.Tensor, shift: torch.Tensor) -> torch.Tensor:
        return self.linear(x) + shift  # type: ignore[no-any-return]


def traced() -> Script:
    made = torch.jit.trace(Plain().eval(), X)
    assert isinstance(made, Script)
    return made


def scripted(module: nn.Module) -> Script:
    made = torch.jit.script(module.eval())
    assert isinstance(made, Script)
    return made


def loaded(module: Script, folder: Path) -> Script:
    torch.jit.save(module, str(folder / "it.pt"))
    reloaded = torch.jit.load(str(folder / "it.pt"))
    assert isinstance(reloaded, Script)
    return reloaded


def methods() -> Script:
    """A trace of two methods."""
    made = torch.jit.trace_module(Encodes().eval(), {"forward": X, "encode": (X, torch.ones(7))})
    assert isinstance(made, Script)
    return made


def said(call: Callable[..., Any], *given: Any, **named: Any) -> str:
    with pytest.raises(torch.jit.Error) as raised:
        call(*given, **named)
    return str(raised.value).strip().splitlines()[-1].removeprefix("builtins.ValueError: ")


KINDS: dict[str, Callable[[Path], Script]] = {
    "frozen": lambda _: torch.jit.freeze(traced()),
    "frozen and loaded": lambda folder: loaded(torch.jit.freeze(traced()), folder),
    "optimized": lambda _: torch.jit.optimize_for_inference(traced()),
    "scripted": lambda _: scripted(Plain()),
    "scripted and frozen": lambda _: torch.jit.freeze(scripted(Plain())),
    "scripted and loaded": lambda folder: loaded(scripted(Plain()), folder),
    "guarded": lambda _: guard(traced(), X),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_module_is_guarded_and_saved(kind: str, tmp_path: Path) -> None:
    module = KINDS[kind](tmp_path)
    guarded = guard(module, {module.forward.schema.arguments[1].name: X})  # type: ignore[attr-defined]
    for one in (guarded, loaded(guarded, tmp_path), torch.jit.freeze(guarded.eval())):
        assert torch.equal(one(X), module(X))
        assert said(one, X[:1]) == "x is (1, 7) float32; this export takes (2, 7) float32 only"


def test_one_module_can_be_guarded_for_two_sizes() -> None:
    module = scripted(Plain())
    one, other = guard(module, X), guard(module, X[:1])
    assert torch.equal(one(X), module(X))
    assert torch.equal(other(X[:1]), module(X[:1]))
    assert said(one, X[:1]).endswith("takes (2, 7) float32 only")
    assert said(other, X).endswith("takes (1, 7) float32 only")


def test_numbers_and_texts_are_passed_on_with_their_defaults(tmp_path: Path) -> None:
    module = scripted(Scores())
    guarded = loaded(guard(module, {"x": X}), tmp_path)
    assert torch.equal(guarded(X), module(X))
    assert torch.equal(guarded(X, 3.0, tag="x"), module(X, 3.0))
    assert said(guarded, X[:1], 3.0) == "x is (1, 7) float32; this export takes (2, 7) float32 only"


def test_an_optional_tensor_that_was_left_out_must_be_left_out() -> None:
    guarded = guard(scripted(Scores()), [X])
    assert torch.equal(guarded(X, mask=None), guarded(X))
    assert said(guarded, X, mask=X) == "mask is (2, 7) float32; this export takes None only"


@pytest.mark.parametrize("inputs", [{"mask": X > 0, "x": X}, [X, X > 0]])
def test_an_optional_tensor_that_was_given_must_be_given(inputs: Any) -> None:
    module = scripted(Scores())
    guarded = guard(module, inputs)
    assert torch.equal(guarded(X, mask=X > 0), module(X, mask=X > 0))
    assert not torch.equal(guarded(X, mask=X > 0), module(X))
    assert said(guarded, X) == "mask is None; this export takes (2, 7) bool only"
    assert said(guarded, X, mask=X) == "mask is (2, 7) float32; this export takes (2, 7) bool only"


class ByNameOnly(nn.Module):
    def forward(self, x: torch.Tensor, *, by: float, mask: torch.Tensor) -> torch.Tensor:
        return x * by * mask


def test_arguments_that_are_passed_by_name_stay_so() -> None:
    module = scripted(ByNameOnly())
    guarded = guard(module, {"x": X, "mask": X > 0})
    assert torch.equal(guarded(X, by=2.0, mask=X > 0), module(X, by=2.0, mask=X > 0))
    assert said(guarded, X, by=2.0, mask=X[:1] > 0) == "mask is (1, 7) bool; this export takes (2, 7) bool only"
    with pytest.raises(RuntimeError, match="takes 2 positional"):
        guarded(X, 2.0, X > 0)


def test_every_default_keeps_its_value() -> None:
    class Defaults(nn.Module):
        pass

    module = scripted(Defaults())
    module.define(
        """
def forward(self, x: Tensor, a: float=float('-inf'), b: float=float('nan'), c: List[int]=[1, 2], d: List[int]=[],
            e: str='a\\'b', f: complex=(1+2j), g: Device=torch.device("cpu"), h: Optional[Tuple[int, int]]=None,
            i: bool=True, j: int=-3, k: float=1e-7, l: Optional[int]=5):
    return x, (a, b, c, d, e), (f, g, h, i), (j, k, l)
"""
    )
    assert repr(guard(module, X)(X)[1:]) == repr(module(X)[1:])


def test_a_traced_method_is_behind_a_check_of_its_own_inputs(tmp_path: Path) -> None:
    module = methods()
    for guarded in (guard(module, X), loaded(guard(module, X), tmp_path)):
        assert torch.equal(guarded.encode(X, torch.ones(7)), module.encode(X, torch.ones(7)))
        assert torch.equal(guarded(X), module(X))
        assert said(guarded.encode, X, X) == "shift is (2, 7) float32; this export takes (7) float32 only"
        assert said(guarded, X[:1]) == "x is (1, 7) float32; this export takes (2, 7) float32 only"


def test_a_method_whose_sizes_are_not_known_is_passed_on(tmp_path: Path) -> None:
    module = loaded(methods(), tmp_path)
    guarded = guard(module, X)
    assert torch.equal(guarded.encode(X, X), module.encode(X, X))
    assert said(guarded, X[:1]).startswith("x is (1, 7)")


def test_inputs_may_be_given_by_method(tmp_path: Path) -> None:
    guarded = guard(loaded(methods(), tmp_path), {"forward": X, "encode": {"shift": X, "x": X}})
    assert torch.equal(guarded.encode(X, X), guarded(X) + X)
    assert said(guarded.encode, X, X[0]) == "shift is (7) float32; this export takes (2, 7) float32 only"
    assert said(guarded, X[:1]).startswith("x is (1, 7)")


def test_an_argument_with_the_name_of_a_method_is_an_argument() -> None:
    class Named(nn.Module):
        def forward(self, encode: torch.Tensor) -> torch.Tensor:
            return self.encode(encode)

        def encode(self, x: torch.Tensor) -> torch.Tensor:
            return x * 2

    guarded = guard(scripted(Named()), {"encode": X})
    assert said(guarded, X[:1]).startswith("encode is (1, 7)")
    assert torch.equal(guarded.encode(X[:1]), 2 * X[:1])


def test_a_module_without_forward_is_guarded_by_method() -> None:
    module = torch.jit.trace_module(Encodes().eval(), {"encode": (X, torch.ones(7))})
    guarded = guard(module, {"encode": (X, torch.ones(7))})
    assert said(guarded.encode, X[:1], X[0]).startswith("x is (1, 7)")
    with pytest.raises(InputsError) as raised:
        guard(module, X)
    assert str(raised.value) == (
        "guard was given inputs of forward, and the module has no forward; its methods are encode: "
        "give the inputs by method, as torch.jit.trace_module takes them"
    )


def test_methods_and_attributes_of_a_scripted_module_stay(tmp_path: Path) -> None:
    module = scripted(Scores())
    guarded = loaded(guard(module, {"x": X}), tmp_path)
    assert (guarded.words(), guarded.guarded.version) == (3, 3)
    assert torch.equal(guarded.shifted(X[:1]), module.shifted(X[:1]))
    kept = torch.jit.freeze(guarded.eval(), preserved_attrs=["words"])
    assert (kept.words(), said(kept, X[:1])) == (3, "x is (1, 7) float32; this export takes (2, 7) float32 only")


def test_a_frozen_module_keeps_its_methods() -> None:
    frozen = torch.jit.freeze(scripted(Scores()), preserved_attrs=["words", "version"])
    guarded = guard(frozen, {"x": X})
    assert (guarded.words(), guarded.guarded.version) == (3, 3)


class Pair(NamedTuple):
    one: torch.Tensor
    other: torch.Tensor


def test_methods_may_have_any_name_and_any_type(tmp_path: Path) -> None:
    class Odd(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self._refuse(x) + self.guarded(x) + self.of(Pair(x, x)) + self.lists([x], {"x": x})

        def _refuse(self, x: torch.Tensor) -> torch.Tensor:
            return x

        def guarded(self, x: torch.Tensor) -> torch.Tensor:
            return x * 2

        def of(self, pair: Pair) -> torch.Tensor:
            return pair.one

        def lists(self, some: list[torch.Tensor], named: dict[str, torch.Tensor]) -> torch.Tensor:
            return some[0] + named["x"]

    guarded = loaded(guard(scripted(Odd()), X), tmp_path)
    assert guarded.guarded.original_name == "Odd"
    assert torch.equal(guarded(X), 6 * X)
    assert torch.equal(guarded._refuse(X[:1]), X[:1])
    assert torch.equal(guarded.lists([X], {"x": X}), 2 * X)
    assert torch.equal(guarded.guarded.guarded(X), 2 * X)
    assert said(guarded, X[:1]).startswith("x is (1, 7)")


def test_a_hook_of_the_module_still_runs() -> None:
    module = Plain()

    def doubled(self: nn.Module, given: tuple[torch.Tensor], answer: torch.Tensor) -> torch.Tensor:
        return answer * 2

    module.register_forward_hook(doubled)
    hooked = scripted(module)
    assert torch.equal(guard(hooked, X)(X), hooked(X))
    assert not torch.equal(hooked(X), module.linear(X))


class TakesPair(nn.Module):
    def forward(self, x: torch.Tensor, pair: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        return x + pair[0] + pair[1]


class TakesDict(nn.Module):
    def forward(self, named: dict[str, torch.Tensor]) -> torch.Tensor:
        return named["x"] + named["y"]


@pytest.mark.parametrize(
    ("module", "example", "sentence"),
    [
        (TakesPair(), (X, (X, X)), "guard cannot check pair, a Tuple[Tensor, Tensor]"),
        (TakesDict(), ({"x": X, "y": X},), "guard cannot check named, a Dict[str, Tensor]"),
    ],
)
def test_nested_inputs_are_refused_in_a_sentence(module: nn.Module, example: Any, sentence: str) -> None:
    for made in (torch.jit.trace(module, example), torch.jit.script(module)):
        assert isinstance(made, Script)
        for given in (X, [X, X], example, {"x": X}):
            with pytest.raises(InputsError) as raised:
                guard(made, given)
            assert str(raised.value) == f"{sentence}; give the module one argument for each tensor"


def test_nested_tensors_that_were_left_out_must_be_left_out() -> None:
    class Caches(nn.Module):
        def forward(self, x: torch.Tensor, cache: list[torch.Tensor] | None = None) -> torch.Tensor:
            return x if cache is None else x + cache[0]

    guarded = guard(scripted(Caches()), X)
    assert torch.equal(guarded(X), X)
    assert said(guarded, X, [X]) == "cache is given; this export takes None only"
    with pytest.raises(InputsError, match=r"^guard was given x, cache; the module takes x, cache: give a tensor"):
        guard(scripted(Caches()), {"x": X, "cache": [X]})


def test_a_traced_function_is_refused_in_a_sentence() -> None:
    function = torch.jit.trace(lambda x: x * 2, X)
    with pytest.raises(InputsError) as raised:
        guard(function, X)  # type: ignore[arg-type]
    assert str(raised.value) == "guard was given a ScriptFunction; give what torch.jit.trace returned for a module"


def test_a_required_tensor_is_named() -> None:
    for given, got in (({"mask": X}, "mask"), ([], "0 inputs"), ([X, X, X], "3 inputs"), ({"x": X, "by": X}, "x, by")):
        with pytest.raises(InputsError) as raised:
            guard(scripted(Scores()), given)
        assert str(raised.value) == f"guard was given {got}; the module takes x, mask: give a tensor for each"


def dtypes() -> list[torch.dtype]:
    """Those of which torch makes a tensor on this machine."""
    found = {one for one in vars(torch).values() if isinstance(one, torch.dtype)}
    return sorted((one for one in found if _can_be_made(one)), key=str)


def _can_be_made(dtype: torch.dtype) -> bool:
    try:
        empty(2, dtype)
    except (RuntimeError, NotImplementedError):
        return False
    return True


def empty(size: int, dtype: torch.dtype) -> torch.Tensor:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # quantised dtypes are deprecated since torch 2.13
        return torch.empty(size, dtype=dtype)


@pytest.mark.parametrize("dtype", dtypes(), ids=str)
def test_every_dtype_is_checked(dtype: torch.dtype) -> None:
    guarded = guard(scripted(nn.Identity()), empty(2, dtype))
    name, other = str(dtype).removeprefix("torch."), torch.bool if dtype != torch.bool else torch.uint8
    assert guarded(empty(2, dtype)).dtype == dtype
    assert said(guarded, empty(3, dtype)) == f"input is (3) {name}; this export takes (2) {name} only"
    assert said(guarded, empty(2, other)) == (
        f"input is (2) {str(other).removeprefix('torch.')}; this export takes (2) {name} only"
    )


def test_the_dtypes_of_today_are_among_them() -> None:
    assert {torch.float8_e4m3fn, torch.uint16, torch.complex32, torch.quint8, torch.bits8} <= set(dtypes())
