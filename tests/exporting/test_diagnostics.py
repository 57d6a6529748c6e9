"""Proves that warnings and log lines of a compiler are captured as evidence, and all other warnings are passed on."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator

import pytest
from torch.jit._trace import TracerWarning

from pytest_tsexport.backends import jit
from pytest_tsexport.exporting.diagnostics import CapturedDiagnostics, capture_diagnostics, rewarn

UNUSED = (
    "Received an input tensor that was unused. Tensor will be ignored. "
    "(index=0, shape=torch.Size([1, 60, 184]), dtype=torch.float32)"
)
FALLS = "torch.neuron.trace failed on _NeuronGraph$698; falling back to native python function call"

EVIDENCE = (
    UNUSED,
    FALLS,
    "Unexpected keyword arguments: ['inline_weights_to_neff']",
    "Received 3 positional arguments but expected 2.",
    "torch.neuron.trace was unable to compile > 50% of the operators in the compiled model!",
    "neuron-sim: an input tensor is unused and will be ignored (index=1, shape=(2, 3), dtype=torch.float32)",
    "compiling:\nfalling back",
)

TRACER = (TracerWarning,)

OTHERS = ("the weights are old", "an unusedness of words", "keyword arguments are deprecated")


@pytest.fixture(autouse=True)
def filters() -> Iterator[None]:
    with warnings.catch_warnings():
        yield


@pytest.fixture
def vendor() -> Iterator[logging.Logger]:
    """The vendor's logger, which does not propagate to the root logger."""
    logger = logging.getLogger("Neuron")
    before = logger.propagate, logger.level
    logger.propagate = False
    logger.setLevel(logging.INFO)
    yield logger
    logger.propagate, logger.level = before


def captured_from(
    text: str, category: type[Warning] = UserWarning, *, from_compiler: bool = True
) -> CapturedDiagnostics:
    with capture_diagnostics(TRACER, from_compiler=from_compiler) as captured:
        warnings.warn(text, category, stacklevel=1)
    return captured


@pytest.mark.parametrize("action", ["error", "ignore", "default"])
@pytest.mark.parametrize("text", EVIDENCE)
@pytest.mark.parametrize("category", [UserWarning, DeprecationWarning, RuntimeWarning])
def test_evidence_is_captured_under_every_filter(action: str, text: str, category: type[Warning]) -> None:
    warnings.simplefilter(action)  # type: ignore[arg-type]
    captured = captured_from(text, category)
    assert (captured.evidence, captured.tracer, captured.others) == ([text], [], [])


@pytest.mark.parametrize("text", EVIDENCE)
def test_without_a_compiler_nothing_is_evidence(text: str) -> None:
    warnings.simplefilter("always")
    captured = captured_from(text, from_compiler=False)
    assert captured.evidence == []
    assert [(kind, str(message)) for kind, message, *_ in captured.others] == [(UserWarning, text)]


@pytest.mark.parametrize("text", OTHERS)
def test_a_warning_of_other_code_is_not_evidence(text: str) -> None:
    warnings.simplefilter("always")
    captured = captured_from(text)
    assert (captured.evidence, captured.tracer) == ([], [])
    ((kind, message, filename, line),) = captured.others
    assert (kind, str(message), filename) == (UserWarning, text, __file__)
    assert line > 0


def test_a_warning_of_other_code_is_still_an_error_under_w_error() -> None:
    warnings.simplefilter("error")
    with pytest.raises(UserWarning, match="the weights are old"), capture_diagnostics(TRACER, from_compiler=True):
        warnings.warn("the weights are old", stacklevel=1)


@pytest.mark.parametrize("from_compiler", [False, True])
@pytest.mark.parametrize("action", ["error", "ignore"])
def test_a_tracer_warning_is_captured_with_its_line_and_is_not_an_error(action: str, *, from_compiler: bool) -> None:
    warnings.simplefilter(action)  # type: ignore[arg-type]
    captured = captured_from("Converting a tensor\nto a Python boolean", TracerWarning, from_compiler=from_compiler)
    (hint,) = captured.tracer
    assert hint.startswith(f"{__file__}:")
    assert hint.endswith(": Converting a tensor")
    assert (captured.evidence, len(captured.others)) == ([], 1)


def test_a_tracer_warning_about_this_package_is_left_out() -> None:
    with capture_diagnostics(TRACER, from_compiler=True) as captured:
        warnings.warn_explicit("ours", TracerWarning, jit.__file__, 7)
    assert captured.tracer == []


def test_a_warning_of_one_line_is_captured_once() -> None:
    with capture_diagnostics(TRACER, from_compiler=True) as captured:
        for _ in range(3):
            warnings.warn(UNUSED, stacklevel=1)
    assert captured.evidence == [UNUSED]


def test_two_messages_of_one_line_are_both_captured() -> None:
    texts = [UNUSED, UNUSED.replace("index=0", "index=2")]
    with capture_diagnostics(TRACER, from_compiler=True) as captured:
        for text in texts:
            warnings.warn(text, stacklevel=1)
    assert captured.evidence == texts


def test_captured_warnings_are_issued_for_the_users_filters() -> None:
    warnings.simplefilter("always")
    captured = captured_from("the weights are old")
    with pytest.warns(UserWarning, match="the weights are old") as given:
        rewarn(captured.others, TRACER)
    assert [(one.filename, one.lineno) for one in given] == [captured.others[0][2:]]


def test_under_w_error_a_reissued_tracer_warning_is_not_an_error_and_another_is() -> None:
    warnings.simplefilter("error")
    rewarn([(TracerWarning, "Converting a tensor", __file__, 1)], TRACER)
    with pytest.raises(UserWarning, match="the weights are old"):
        rewarn([(UserWarning, "the weights are old", __file__, 1)], TRACER)


@pytest.mark.parametrize("text", EVIDENCE)
def test_a_log_line_of_a_logger_that_does_not_propagate_is_evidence(text: str, vendor: logging.Logger) -> None:
    with capture_diagnostics(TRACER, from_compiler=True) as captured:
        vendor.warning(text)
    assert captured.evidence == [text]


def test_a_log_line_that_propagates_is_captured_once() -> None:
    with capture_diagnostics(TRACER, from_compiler=True) as captured:
        logging.getLogger("torch_neuron.convert").error("failed on %s; falling back to the CPU", "_NeuronGraph$698")
        logging.getLogger("Neuron").warning(FALLS)
    assert captured.evidence == ["failed on _NeuronGraph$698; falling back to the CPU", FALLS]


def test_a_log_line_of_a_child_logger_is_captured(vendor: logging.Logger) -> None:
    with capture_diagnostics(TRACER, from_compiler=True) as captured:
        vendor.getChild("convert").warning(FALLS)
    assert captured.evidence == [FALLS]


def test_log_lines_are_captured_only_from_a_compiler_and_only_evidence(vendor: logging.Logger) -> None:
    with capture_diagnostics(TRACER, from_compiler=False) as captured:
        vendor.warning(FALLS)
    with capture_diagnostics(TRACER, from_compiler=True) as other:
        vendor.warning("Compiler status PASS")
    assert (captured.evidence, other.evidence) == ([], [])


def test_handlers_and_filters_are_restored(vendor: logging.Logger) -> None:
    before, root = list(vendor.handlers), list(logging.getLogger().handlers)
    filters = list(warnings.filters)
    with pytest.raises(KeyError), capture_diagnostics(TRACER, from_compiler=True):
        raise KeyError
    assert (vendor.handlers, logging.getLogger().handlers, list(warnings.filters)) == (before, root, filters)
