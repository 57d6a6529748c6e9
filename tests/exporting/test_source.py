"""Proves that what an export left changed is said by the model's answers too, and that a model's own state is not."""

from __future__ import annotations

import pickle
import random
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from pytest_tsexport.config.marker import Meaning
from pytest_tsexport.exporting.source import CALLS, Left, Source
from pytest_tsexport.subjects.build import build
from pytest_tsexport.subjects.subject import Subject
from pytest_tsexport.tensors.copies import deep_copy
from pytest_tsexport.testing import right_state, wrong_sources, wrong_state
from pytest_tsexport.testing import wrong_exports as made
from pytest_tsexport.testing.specimen import rows
from pytest_tsexport.testing.wrong_training import FillsTable

NOTHING = Left()


def subject_of(model: nn.Module) -> Subject:
    return build(model, Meaning(inputs=rows()()), name="it")


def left(model: nn.Module, export: Callable[[Any], object]) -> Left:
    source = Source.before(subject_of(model.eval()), model)
    export(model)
    return source.after()


def calls(number: int) -> Callable[[nn.Module], None]:
    def call(model: nn.Module) -> None:
        for _ in range(number):
            model(**rows()())

    return call


STATEFUL = (
    right_state.FlipsOnShortInput,
    right_state.FlipsDeep,
    right_state.RewritesBuffer,
    right_state.CachesTable,
    right_state.CountsUnseen,
    right_state.ReusesItsOutput,
    right_state.MemoisesMasks,
    right_state.KeepsItsSize,
    right_state.KeepsItsLastInput,
    wrong_state.CountsCalls,
    wrong_state.CountsDeep,
    wrong_state.OnThirdCall,
    wrong_state.CountsInBuffer,
    wrong_state.ForgetsItsCache,
)


@pytest.mark.parametrize("model", STATEFUL)
@pytest.mark.parametrize("number", [0, 1, CALLS - 1])
def test_what_a_call_does_to_a_model_is_not_the_exporters_doing(model: type[nn.Module], number: int) -> None:
    assert left(model(), calls(number)) == NOTHING


@pytest.mark.parametrize("model", STATEFUL)
def test_what_more_calls_do_is_not_the_exporters_doing_either(model: type[nn.Module]) -> None:
    found = left(model(), calls(CALLS + 4))
    assert (found.source, found.settings) == ((), ())


@pytest.mark.parametrize("model", [right_state.CachesTable, right_state.MemoisesMasks, wrong_state.CountsInBuffer])
def test_a_flag_beside_state_is_named(model: type[nn.Module]) -> None:
    def export(model: nn.Module) -> None:
        calls(2)(model)
        vars(model)["exporting"] = True

    assert left(model(), export) == Left(source=("exporting is new",))


def warm(model: nn.Module) -> nn.Module:
    """A model that was called before it is exported."""
    calls(1)(model.eval())
    return model


def empty_caches(model: nn.Module) -> None:
    for name, value in vars(model).items():
        if isinstance(value, (dict, list)) and name in ("masks", "seen"):
            value.clear()
    if "table" in vars(model):
        vars(model)["table"] = None


@pytest.mark.parametrize("model", [right_state.MemoisesMasks, right_state.CachesTable])
def test_a_cache_that_was_emptied_is_filled_again_by_a_call(model: type[nn.Module]) -> None:
    assert left(warm(model()), empty_caches) == NOTHING


def test_a_size_that_was_left_as_a_traced_tensor_is_a_number_again_after_a_call() -> None:
    model = warm(right_state.KeepsItsSize())
    assert left(model, lambda model: setattr(model, "size", torch.tensor(7))) == NOTHING


def test_an_attribute_that_calls_do_not_write_stays_changed_beside_an_emptied_cache() -> None:
    def export(model: nn.Module) -> None:
        empty_caches(model)
        vars(model)["style"] = "plain"

    assert left(warm(right_state.MemoisesMasks()), export).source == ("style is new",)


def test_what_a_copy_does_not_have_was_not_undone_by_a_call() -> None:
    """A compiled model loses that when it is copied."""

    class Compiles(made.Plain):
        def __getstate__(self) -> dict[str, Any]:
            return {name: value for name, value in vars(self).items() if name != "compiled"}

    assert left(Compiles(), lambda model: setattr(model, "compiled", True)).source == ("compiled is new",)


@pytest.mark.parametrize("is_training", [False, True])
def test_a_training_mode_that_was_left_is_named_whatever_the_mode_of_the_copy(*, is_training: bool) -> None:
    model = made.Plain().eval()
    kept = deep_copy(model).train(is_training)
    source = Source.before(subject_of(kept), model)
    model.train()
    assert source.after().source == ("the training mode of the model: False became True (and of 1 more)",)


def test_a_backend_may_leave_the_users_model_in_training_mode() -> None:
    """The plugin's own backends get the model as the user built it."""
    model = made.Plain().train()
    source = Source.before(subject_of(model), model)
    assert source.after() == NOTHING


FUNCTIONS: dict[str, Any] = {}
"""What a model looks up when it is called: no attribute of it or of its class."""


class LooksUp(made.Plain):
    def forward(self, x: torch.Tensor) -> Any:
        return FUNCTIONS["act"](super().forward(x))


def looks_up() -> nn.Module:
    FUNCTIONS["act"] = torch.tanh
    return LooksUp()


def replace_function(_: nn.Module) -> None:
    FUNCTIONS["act"] = torch.relu


def test_other_answers_can_be_given_to_another_process() -> None:
    found = left(looks_up(), replace_function)
    copied = pickle.loads(pickle.dumps(found))
    assert copied.answers.after.keys() == {"output"}


@pytest.mark.slow
def test_a_class_that_was_patched_is_named() -> None:
    found = left(wrong_sources.equipped(), wrong_sources.patch_class)
    assert found == Left(source=("scaled of the class Equipped was replaced",))


def test_a_function_that_was_replaced_shows_in_the_answers() -> None:
    found = left(looks_up(), replace_function)
    assert (found.source, found.settings) == ((), ())
    assert found.answers is not None
    assert found.answers.after is not None
    (before,) = {id(leaves): leaves for leaves in found.answers.before}.values()
    assert not torch.equal(before["output"], found.answers.after["output"])


def test_a_model_that_raises_from_then_on() -> None:
    answers = left(looks_up(), lambda _: FUNCTIONS.update(act=None)).answers
    assert answers is not None
    assert (answers.after, answers.raised) == (None, "TypeError: 'NoneType' object is not callable")


def test_other_answers_show_beside_state() -> None:
    """What calls change is left out, and the answers are still compared."""

    class Caches(right_state.CachesTable):
        def forward(self, x: torch.Tensor) -> Any:
            return FUNCTIONS["act"](super().forward(x))

    def export(model: nn.Module) -> None:
        calls(2)(model)
        replace_function(model)

    FUNCTIONS["act"] = torch.tanh
    found = left(Caches(), export)
    assert found.source == ()
    assert found.answers is not None


def test_a_setting_is_named_and_the_answers_are_not_asked() -> None:
    found = left(made.Plain(), lambda _: torch.set_default_dtype(torch.float64))
    assert found == Left(settings=("torch's default dtype: torch.float32 became torch.float64",))
    assert torch.get_default_dtype() is torch.float32


def test_a_setting_that_a_call_of_the_model_makes_is_not_the_exporters_doing() -> None:
    class Sets(made.Plain):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            torch.set_float32_matmul_precision("high")
            return super().forward(x)

    old = torch.get_float32_matmul_precision()
    try:
        assert left(Sets(), calls(1)) == NOTHING
    finally:
        torch.set_float32_matmul_precision(old)


def test_the_settings_are_set_back_if_the_source_changed_too() -> None:
    def export(model: nn.Module) -> None:
        torch.set_grad_enabled(False)
        model.double()

    found = left(made.Plain(), export)
    assert found.settings == ("grad mode: True became False",)
    assert found.source[0] == "linear.weight: dtype torch.float32 became torch.float64"
    assert torch.is_grad_enabled()


def test_a_model_that_cannot_be_copied_any_more() -> None:
    class Odd(made.Plain):
        """It can be copied until an exporter forbids it."""

    def forbid(_: nn.Module) -> None:
        def refuse(_self: object, _memo: object) -> None:
            raise TypeError("no copies")

        Odd.__deepcopy__ = refuse  # type: ignore[attr-defined]

    (text,) = left(Odd(), forbid).source
    assert text.startswith("Odd cannot be copied (no copies)")


def test_what_a_call_does_is_found_out_on_a_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the kept copy nor the model itself is called."""
    model: Any = right_state.CountsUnseen().eval()
    kept: Any = deep_copy(model)
    subject = subject_of(kept)
    source = Source.before(subject, model)
    assert (model.log, kept.log) == ({}, {})
    calls(1)(model)
    assert source.after() == NOTHING
    assert (model.log, kept.log) == ({"calls": 1}, {})


def test_a_model_that_draws_random_numbers_is_left_to_another_question() -> None:
    found = left(wrong_state.NoisyForward(), lambda _: None)
    assert found.source == ()


def test_a_moved_random_state_is_nobodys_doing() -> None:
    assert left(made.Plain(), lambda _: torch.manual_seed(5)) == NOTHING


def test_two_forward_calls_are_made_where_nothing_changes() -> None:
    class Counts(made.Plain):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            made_calls.append(1)
            return super().forward(x)

    made_calls: list[int] = []
    subject = subject_of(Counts().eval())
    made_calls.clear()
    source = Source.before(subject, subject.model)
    assert source.after() == NOTHING
    assert len(made_calls) == 2


def test_a_model_that_raises_before_is_not_compared_with_itself() -> None:
    class Once(made.Plain):
        calls = 0

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.calls += 1
            if self.calls > 1:
                raise RuntimeError("once only")
            return super().forward(x)

    assert left(Once(), calls(1)) == NOTHING


class CountsInClass(made.Plain):
    """Right: its class counts its calls."""

    calls = 0

    def forward(self, x: torch.Tensor) -> Any:
        type(self).calls += 1
        return super().forward(x)


def test_what_calls_change_in_a_class_is_not_the_exporters_doing() -> None:
    assert left(CountsInClass(), calls(5)).source == ()


class DrawsFromItsGenerator(made.Plain):
    """Right: each call draws a number, for a log."""

    def __init__(self) -> None:
        super().__init__()
        self.random, self.log = random.Random(3), [0.0]

    def forward(self, x: torch.Tensor) -> Any:
        self.log[0] = self.random.random()
        return super().forward(x)


def test_a_generator_that_a_call_moves_is_not_the_exporters_doing() -> None:
    assert left(DrawsFromItsGenerator(), calls(2)).source == ()
    assert left(DrawsFromItsGenerator(), lambda model: setattr(model, "scale", 2)).source == ("scale is new",)


class RemovesItsHook(made.Plain):
    """Right: a hook that runs once. Its closure holds the model."""

    handle: Any

    def __init__(self) -> None:
        super().__init__()
        self.handle = self.linear.register_forward_pre_hook(lambda module, inputs: self.handle.remove())


def test_a_hook_that_removes_itself_at_the_first_call_is_not_the_exporters_doing() -> None:
    model = RemovesItsHook()
    assert left(model, calls(1)) == NOTHING
    assert not model.linear._forward_pre_hooks
    assert left(RemovesItsHook(), calls(0)) == NOTHING


class KeepsLast(made.Plain):
    """Right: it keeps its last answer, which the next call replaces."""

    last: torch.Tensor | None = None

    def forward(self, x: torch.Tensor) -> Any:
        self.last = super().forward(x)
        return self.last


@pytest.mark.parametrize("keeps", [KeepsLast, FillsTable])
def test_what_was_made_in_inference_mode_is_named_unless_the_next_call_replaces_it(keeps: type[nn.Module]) -> None:
    def export(model: nn.Module) -> None:
        with torch.inference_mode():
            calls(1)(model)

    assert (left(keeps(), export) == NOTHING) is (keeps is KeepsLast)


def test_a_parameter_that_each_call_replaces_is_not_the_exporters_doing() -> None:
    class Remakes(made.Plain):
        def forward(self, x: torch.Tensor) -> Any:
            self.linear.bias = nn.Parameter(self.linear.bias.detach().clone())
            return super().forward(x)

    assert left(Remakes(), calls(1)).source == ()
    assert left(made.Plain(), lambda model: setattr(model.linear, "bias", nn.Parameter(model.linear.bias.data))).source


def test_weights_that_an_rnn_reads_are_named_although_a_call_of_a_copy_mends_them() -> None:
    class Recurs(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn = nn.RNN(7, 7)

        def forward(self, x: torch.Tensor) -> Any:
            return self.rnn(x)[0]

    def detach(model: Any) -> None:
        model.rnn._flat_weights = [one.detach().clone() for one in model.rnn._flat_weights]

    assert len(left(Recurs(), detach).source) == 4
    assert left(Recurs(), lambda model: model.rnn.flatten_parameters()) == NOTHING
