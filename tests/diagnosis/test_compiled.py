"""Proves that what a compiler does silently is found in its file and in its warnings, and that nothing else is."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from pytest_tsexport.backends.base import Compilation, Compiler
from pytest_tsexport.backends.jit import Jit
from pytest_tsexport.backends.neuron_sim import NeuronSim
from pytest_tsexport.backends.torchscript.tracing import traced
from pytest_tsexport.subjects.subject import Subject
from pytest_tsexport.testing import judge
from pytest_tsexport.testing.specimen import Inputs, rows, two_rows
from pytest_tsexport.verdict import Outcome, Verdict

Compiles = Callable[[Subject], torch.jit.ScriptModule]

FALLS = "torch.neuron.trace failed on _NeuronGraph$698; falling back to native python function call"
HALF = "torch.neuron.trace was unable to compile > 50% of the operators in the compiled model!"
UNKNOWN = "Unexpected keyword arguments: ['inline_weights_to_neff']"
TOO_MANY = "Received 3 positional arguments but expected 2. See the documentation"


CONSTANT = torch.arange(14.0).reshape(2, 7)


class Odd(NeuronSim):
    """The simulation, which warns, or compiles by other means."""

    def __init__(self, said: Sequence[str] = (), compiles: Compiles | None = None) -> None:
        super().__init__()
        self._said = said
        self._compiles = compiles or super().trace

    def compiling(self, wanted: Compilation) -> Compiler:
        return self

    def trace(self, subject: Subject) -> torch.jit.ScriptModule:
        for line, text in enumerate(self._said):
            warnings.warn_explicit(text, UserWarning, "compiler.py", line + 1)
        return self._compiles(subject)


class Beside(nn.Module):
    """A compiled module, and what other code makes of the inputs beside it."""

    def __init__(self, compiled: nn.Module, makes: Callable[..., tuple[torch.Tensor, ...]]) -> None:
        super().__init__()
        self.compiled = compiled
        self.makes = makes
        self.register_buffer("constant", CONSTANT.clone())

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return self.makes(x, self.compiled(x)[0], self.constant)


def beside(makes: Callable[..., tuple[torch.Tensor, ...]]) -> Odd:
    """A compiler that compiles the first answer alone."""

    def compiles(subject: Subject) -> torch.jit.ScriptModule:
        alone = replace(subject, model=First(subject.model))
        return traced(Beside(NeuronSim().trace(alone), makes).eval(), tuple(subject.inputs.values()))

    return Odd(compiles=compiles)


class First(nn.Module):
    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.model(x)[0]
        return answer


class Two(nn.Module):
    """Two answers: the second is what `second` makes of the input."""

    def __init__(self, second: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.linear = nn.Linear(7, 7)
        self.second = second

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.linear(x), self.second(x)


class Plain(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(7, 7)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.linear(x)
        return answer


def verdicts(model: nn.Module, backend: NeuronSim, inputs: Inputs | None = None, **keywords: Any) -> dict[str, Verdict]:
    return judge(model, inputs or rows()(), backend=backend, **{"checks": ["trace"], **keywords})


def trace(model: nn.Module, backend: NeuronSim, inputs: Inputs | None = None, **keywords: Any) -> Verdict:
    return verdicts(model, backend, inputs, **keywords)["trace"]


def reported(found: Verdict) -> dict[str, str]:
    assert found.outcome is Outcome.FAILED
    return dict(found.rows)


def assert_right(found: Verdict) -> None:
    assert (found.outcome, found.rows) == (Outcome.PASSED, ())


def test_a_compiled_one_is_right_and_its_casting_is_noted() -> None:
    found = trace(Plain(), Odd())
    assert_right(found)
    assert found.notes == ("--auto-cast none",)


def test_a_file_without_an_operator_of_the_device_runs_on_the_cpu() -> None:
    found = trace(Plain(), Odd(compiles=Jit().trace))
    assert found.headline == "the compiler fell back: it runs on the CPU"
    assert reported(found)["in the file"] == "no operator neuron_sim::…"
    assert "said" not in reported(found)


@pytest.mark.parametrize("text", [FALLS, HALF])
def test_a_warning_about_parts_left_to_the_cpu_is_believed(text: str) -> None:
    whole, part = (trace(Plain(), Odd([text], compiles)) for compiles in (Jit().trace, None))
    assert whole.headline == "the compiler fell back: it runs on the CPU"
    assert part.headline == "the compiler fell back: part of it runs on the CPU"
    assert reported(part)["in the file"] == "operators of the device and of the CPU"
    assert reported(whole)["said"] == reported(part)["said"] == text


def test_the_same_file_of_a_backend_without_a_device_is_right() -> None:
    assert_right(judge(Plain(), rows()(), checks=["trace"])["trace"])


@pytest.mark.parametrize("text", [UNKNOWN, TOO_MANY])
def test_arguments_that_a_compiler_does_not_know_are_reported(text: str) -> None:
    found = trace(Plain(), Odd([text]))
    assert found.headline == "the compiler ignored arguments that it does not know"
    assert reported(found)["said"] == text


@pytest.mark.parametrize("text", ["the keyword return_dict is deprecated", "this model was compiled before", "Fell"])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_other_warnings_are_not_faults(text: str) -> None:
    assert_right(trace(Plain(), Odd([text])))


def test_an_output_that_other_code_computes_is_named() -> None:
    found = trace(Two(torch.exp), beside(lambda x, first, _: (first, x.exp())))
    assert found.headline == "an output does not come from the compiled part"
    assert reported(found)["in the file"] == "1: computed by torch's own operators alone"


def test_every_output_that_other_code_computes_is_named() -> None:
    class Neither(nn.Module):
        def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
            return {"first": x * 2, "second": x + 1}

    def compiles(subject: Subject) -> torch.jit.ScriptModule:
        unused = NeuronSim().trace(replace(subject, model=Plain()))
        return traced(Beside(unused, lambda x, first, _: (x * 2, x + 1)).eval(), tuple(subject.inputs.values()))

    found = trace(Neither(), Odd(compiles=compiles))
    assert found.headline in {
        "an output does not come from the compiled part",
        "the compiler fell back: it runs on the CPU",
    }
    assert reported(found)["in the file"] in {
        "first, second: computed by torch's own operators alone",
        "no operator neuron_sim::…",
    }


@pytest.mark.parametrize(
    ("second", "makes"),
    [
        (lambda x: x, lambda x, first, _: (first, x)),
        (lambda x: torch.arange(14.0).reshape(2, 7), lambda x, first, constant: (first, constant)),
        (lambda x: x, lambda x, first, _: (first.clone(), x)),
    ],
    ids=["an input handed through", "a constant", "its own answer copied"],
)
def test_an_output_that_is_not_computed_is_right(
    second: Callable[[torch.Tensor], torch.Tensor], makes: Callable[..., tuple[torch.Tensor, ...]]
) -> None:
    assert_right(trace(Two(second), beside(makes)))


def test_an_output_made_from_a_compiled_one_is_right() -> None:
    """The packer of a compiler unpacks, cuts and casts what its operator answers."""

    class Sums(Two):
        def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            answer = self.linear(x)
            return answer, answer.sum(1)

    assert_right(trace(Sums(torch.exp), beside(lambda x, first, _: (first, first.sum(1)))))


def test_a_guarded_file_is_right() -> None:
    assert_right(trace(Plain(), Odd(), guard=True))


class Depends(nn.Module):
    """Asks in Python for what `y` holds."""

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return x * (3 if float(y.sum()) > 1 else 2)


class Counts(nn.Module):
    """Asks how many there are, by a list."""

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return x * len(torch.nonzero(y > 0.5))


class Ignores(nn.Module):
    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return x * 2


class AsksSize(nn.Module):
    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return x * y.shape[1] + torch.zeros_like(y)


class TimesNothing(nn.Module):
    """Uses `y`, and no value of it moves the answer."""

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return x * 2 + 0 * y.clamp(-1, 1)


@pytest.mark.parametrize("model", [Depends, Counts])
@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")
def test_a_dropped_input_that_eager_depends_on_is_reported(model: type[nn.Module]) -> None:
    found = trace(model(), NeuronSim(), two_rows()())
    assert found.headline == "the compiler dropped y as unused, but eager's answer depends on it"
    assert ".item(), nonzero()" in reported(found)["fix"]


@pytest.mark.parametrize("model", [Ignores, AsksSize])
def test_a_dropped_input_that_nothing_depends_on_is_noted(model: type[nn.Module]) -> None:
    found = trace(model(), NeuronSim(), two_rows()())
    assert_right(found)
    assert found.notes == ("--auto-cast none", "y is dropped: the answer does not depend on it")


def test_an_input_without_influence_is_not_noted() -> None:
    found = trace(TimesNothing(), NeuronSim(), two_rows()())
    assert_right(found)
    assert found.notes == ("--auto-cast none",)


def test_the_vendors_own_warnings_are_understood() -> None:
    said = "Received an input tensor that was unused. Tensor will be ignored. (index={}, shape=torch.Size([2, 7]), …)"
    x, y, beyond = (trace(Ignores(), Odd([said.format(place)], _quietly), two_rows()()) for place in range(3))
    assert x.headline == "the compiler dropped x as unused, but eager's answer depends on it"
    assert "y is dropped: the answer does not depend on it" in y.notes
    assert beyond.notes == ("--auto-cast none",)


def _quietly(subject: Subject) -> torch.jit.ScriptModule:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return NeuronSim().trace(subject)


class DependsAndIgnores(nn.Module):
    def forward(self, x: torch.Tensor, y: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        return x * (3 if float(y.sum()) > 1 else 2)


@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")
def test_each_of_two_dropped_inputs_is_examined() -> None:
    found = trace(DependsAndIgnores(), NeuronSim(), {**two_rows()(), "z": torch.ones(2, 7)})
    assert found.headline == "the compiler dropped y as unused, but eager's answer depends on it"


class Shifts(nn.Module):
    """Right: what a decoder does with its labels."""

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        shifted = ids.new_zeros(ids.shape)
        shifted[:, 1:] = ids[:, :-1].clone()
        return shifted * 1.5


def test_an_input_that_is_written_into_a_new_tensor_is_not_dropped() -> None:
    assert_right(trace(Shifts(), NeuronSim(), {"ids": torch.arange(2, 16).reshape(2, 7)}))


class Doubles(nn.Module):
    def forward(self, x: torch.Tensor, counts: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return x * 2, counts + 1


class Parity(nn.Module):
    """The last bit is the same, however many are kept."""

    def forward(self, x: torch.Tensor, counts: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return x * 2, counts & 1


def notes(model: nn.Module, backend: object) -> list[str]:
    inputs = {**rows()(), "counts": torch.arange(14).reshape(2, 7)}
    parity = judge(model, inputs, backend=backend, checks=["parity"], max_examples=10)["parity"]
    assert parity.outcome is Outcome.PASSED
    return [note for note in parity.notes if "2^31" in note]


@pytest.mark.slow
def test_numbers_past_32_bits_are_noted_if_the_answer_differs() -> None:
    assert notes(Doubles(), "neuron-sim") == ["differs from eager for counts past 2^31: a device computes in 32 bits"]
    assert notes(Parity(), "neuron-sim") == []
    assert notes(Doubles(), "jit") == []
