"""Bad use gives one sentence, which names the value and what would be valid, and never a traceback of ours."""

from __future__ import annotations

import pytest

from tests.plugin.conftest import LIGHT, Project, Run

CHECKS = "trace, tied_weights, parity, shapes, padding, interface, round_trip"
LONG = "x" * 5000

BAD_OPTIONS = {
    "backend": (["--ts-backend=jit,tensorrt"], "--ts-backend names 'tensorrt'; use one of jit, neuron, neuron-sim"),
    "no backend": (["--ts-backend=,"], "--ts-backend is empty; give one name, or a list separated by commas"),
    "check": (["--ts-checks=shape"], f"--ts-checks names 'shape'; use one of {CHECKS}, or -name to leave one out"),
    "no check": (["--ts-checks=trace,-trace"], "--ts-checks is *trace*, which leaves no check to run"),
    "max examples": (
        ["--ts-max-examples=many"],
        "--ts-max-examples is 'many'; give a whole number of cases, 1 or more",
    ),
    "no examples": (["--ts-max-examples=0"], "--ts-max-examples is 0; give a whole number of cases, 1 or more"),
    "budget": (["--ts-budget=-3"], "--ts-budget is '-3'; give a number of seconds above 0"),
    "endless budget": (["--ts-budget=inf"], "--ts-budget is 'inf'; give a number of seconds above 0"),
    "timeout": (["--ts-timeout=0"], "--ts-timeout is '0'; give a number of seconds above 0"),
    "neuron args": (["--ts-neuron-args=--x 'y"], "--ts-neuron-args is *--x 'y* (No closing quotation); give *"),
    "neuron args on jit": (
        ["--ts-backend=jit", "--ts-neuron-args=--target inf2"],
        "--ts-neuron-args is '--target inf2', and the backend jit takes no arguments; give it with *",
    ),
    "isolate takes a path": (
        ["--ts-isolate", "test_export.py"],
        "--ts-isolate is 'test_export.py'; that is a path; write --ts-isolate=auto before a path",
    ),
    "isolate takes a test": (
        ["--ts-isolate", "test_export.py::test_x"],
        "--ts-isolate is 'test_export.py::test_x'; that is a path; write --ts-isolate=auto before a path",
    ),
    "isolate in too little": (
        ["--ts-isolate=1KiB"],
        "--ts-isolate is '1KiB'; no process with torch fits into that; give 128 MiB or more",
    ),
    "isolate in a number": (["--ts-isolate=4"], "--ts-isolate is '4'; give the memory of a process, as 4GiB or *"),
    "isolate, no unit": (["--ts-isolate=4parsecs"], "--ts-isolate is '4parsecs'; give the memory of a process, *"),
    "isolate in nothing": (["--ts-isolate="], "--ts-isolate is ''; give the memory of a process, as 4GiB or *"),
    "isolate, long": ([f"--ts-isolate={LONG}"], f"--ts-isolate is '{LONG[:99]}…; give the memory of a process, *"),
    "isolate, long number": ([f"--ts-isolate={'9' * 5000}GiB"], "--ts-isolate is '999*9…; give the memory of *"),
    "isolate, ini": (["-o", "ts_isolate=yes"], "ts_isolate is 'yes'; give the memory of a process, as 4GiB or *"),
    "architectures without the suite": (
        ["--ts-architectures=bert"],
        "--ts-architectures is 'bert', and this run has no validation suite; add --pyargs pytest_tsexport.suite",
    ),
    "heads without the suite": (
        ["--ts-heads=all", "test_export.py"],
        "--ts-heads is 'all', and this run has no validation suite; add --pyargs pytest_tsexport.suite",
    ),
    "several backends, one unknown": (
        ["--ts-backend=jit", "--ts-backend=onnx"],
        "--ts-backend names 'onnx'; use one *",
    ),
    "backend in capitals": (["--ts-backend=JIT"], "--ts-backend names 'JIT'; use one of jit, neuron, neuron-sim"),
    "every check left out": (
        ["--ts-checks=" + ",".join(f"-{c}" for c in CHECKS.split(", "))],
        "--ts-checks *no check to run",
    ),
    "one wrong check left out": (["--ts-checks=-shape"], "--ts-checks names '-shape'; use one of trace, *"),
    "examples with a fraction": (
        ["--ts-max-examples=1.5"],
        "--ts-max-examples is '1.5'; give a whole number *",
    ),
    "examples below one": (
        ["--ts-max-examples=-1"],
        "--ts-max-examples is -1; give a whole number *",
    ),
    "budget in words": (["--ts-budget=1m"], "--ts-budget is '1m'; give a number of seconds above 0"),
    "budget that is no number": (["--ts-budget=nan"], "--ts-budget is 'nan'; give a number of seconds above 0"),
    "budget of nothing": (["--ts-budget=0"], "--ts-budget is '0'; give a number of seconds above 0"),
    "timeout below nothing": (["--ts-timeout=-1"], "--ts-timeout is '-1'; give a number of seconds above 0"),
    "timeout, ini": (["-o", "ts_timeout=long"], "ts_timeout is 'long'; give a number of seconds above 0"),
    "report of another kind": (["--ts-report=x.xml"], "--ts-report is 'x.xml'; give a file that ends in .json or *"),
    "report, long": (
        [f"--ts-report={LONG}.json"],
        f"--ts-report is '{LONG[:99]}…; no file can have that name (File name too long); give another",
    ),
    "report without a name": (["--ts-report="], "--ts-report is empty; give one name, or a list separated by commas"),
    "report, ini": (["-o", "ts_report=x.txt"], "ts_report is 'x.txt'; give a file that ends in .json or *"),
    "export dir that is a file": (
        ["--ts-export-dir=test_export.py"],
        "--ts-export-dir is *, where no folder *",
    ),
    "no counterexamples": (
        ["--ts-counterexamples=test_export.py"],
        "*test_export.py holds no counterexamples (*); give a file that --ts-counterexamples wrote",
    ),
    "counterexamples without a name": (["--ts-counterexamples="], "--ts-counterexamples is empty; give a path"),
    "no known failures": (
        ["--ts-known-failures=test_export.py"],
        "test_export.py cannot be read as known failures: *",
    ),
    "known failures that are gone": (
        ["--ts-known-failures=gone.toml"],
        "gone.toml cannot be read as known failures (No such file or directory)",
    ),
    "no baseline": (["--ts-baseline=test_export.py"], "test_export.py *"),
    "baseline without a name": (["--ts-baseline="], "--ts-baseline is empty; give a path"),
    "artifact of two models": (
        ["--ts-artifact=x.ts", "--ts-model=a:b,c:d"],
        "--ts-artifact is *x.ts*; give it with one --ts-model, the model that it exports",
    ),
    "artifact without a name": (["--ts-artifact=", "--ts-model=a:b"], "--ts-artifact is empty; give a path"),
    "model without a name": (["--ts-model=,"], "--ts-model is empty; give one name, or a list separated by commas"),
    "on unavailable, ini": (
        ["-o", "ts_on_unavailable=xfail"],
        "ts_on_unavailable names 'xfail'; use one of fail, skip",
    ),
    "neuron args, ini": (["-o", "ts_neuron_args='"], 'ts_neuron_args is "\'" (No closing quotation); give *'),
    "seed": (["--ts-seed=x"], "--ts-seed is 'x'; give a whole number"),
    "on unavailable": (["--ts-on-unavailable=pass"], "--ts-on-unavailable names 'pass'; use one of fail, skip"),
    "export dir": (["--ts-export-dir="], "--ts-export-dir is empty; give a path"),
    "export dir that cannot be": (
        ["--ts-export-dir=test_export.py/x"],
        "--ts-export-dir is 'test_export.py/x', where no folder can be made (Not a directory)",
    ),
    "ini backend": (["-o", "ts_backend=tpu"], "ts_backend names 'tpu'; use one of jit, neuron, neuron-sim"),
    "ini check": (["-o", "ts_checks=all"], f"ts_checks names 'all'; use one of {CHECKS}, or -name to leave one out"),
    "ini number": (
        ["-o", "ts_max_examples=many"],
        "ts_max_examples is 'many'; give a whole number",
    ),
    "ini seed": (["-o", "ts_seed=x y"], "ts_seed is 'x y'; give a whole number"),
    "ini seconds": (["-o", "ts_budget=soon"], "ts_budget is 'soon'; give a number of seconds above 0"),
    "artifact alone": (["--ts-artifact=x.ts"], "--ts-artifact is *x.ts*; give it with one --ts-model, *"),
}


@pytest.mark.slow
@pytest.mark.parametrize(("args", "sentence"), BAD_OPTIONS.values(), ids=BAD_OPTIONS)
def test_a_bad_option_or_ini_value_is_exit_code_4(project: Project, run: Run, args: list[str], sentence: str) -> None:
    project("def test_x():\n    pass\n")
    result = run(*args)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {sentence}"])
    assert [line for line in result.errlines if line] == [
        line for line in result.errlines if line.startswith("ERROR: ")
    ]


def test_a_bad_option_is_exit_code_4_with_workers(project: Project, run: Run) -> None:
    project("def test_x():\n    pass\n")
    result = run("-n2", "--ts-checks=shape")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --ts-checks names 'shape'; *"])


def test_native_toml_of_another_type_is_exit_code_4(project: Project, run: Run) -> None:
    if pytest.version_tuple < (9, 0):
        pytest.skip("pytest reads native TOML since 9.0")
    project("def test_x():\n    pass\n", pytest_toml="[pytest]\nts_budget = {}\n")
    result = run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: ts_budget in the ini is not valid (*); give a text"])


BAD_MARKERS = {
    "unknown keyword": ("example=1", "unknown keyword 'example'; use one of inputs, *"),
    "positional": ("[1]", "takes keywords only, and got [[]1[]]; name the keyword, as in checks=[[]...[]]"),
    "check": ("checks=['shape']", f"checks names 'shape'; use one of {CHECKS}, or -name to leave one out"),
    "backend": ("backends=['tpu']", "backends names 'tpu'; use one of jit, neuron, neuron-sim"),
    "no backend": ("backends=[]", "backends is [[][]]; give one or a list of jit, neuron, neuron-sim"),
    "rtol alone": ("rtol=1e-3", "rtol is given without atol; give both, or neither"),
    "atol alone": ("atol=1e-3", "atol is given without rtol; give both, or neither"),
    "negative": ("rtol=-1, atol=1", "rtol is -1; give a number, 0 or more, or a mapping of output names to numbers"),
    "contract": (
        "shapes='any'",
        "shapes is 'any'; use one of dynamic, safe, fixed, or a mapping of axis names to them",
    ),
    "inputs": ("inputs=3", "inputs is 3; give a mapping of names"),
    "tensor": ("inputs=torch.ones(30, 30)", "inputs is tensor(*…; give a mapping of names"),
    "no repr": ("inputs=SaysNothing()", "inputs is a SaysNothing; give a mapping of names"),
    "no artifact": ("artifact=''", "artifact is ''; give the path of a TorchScript file"),
    "export": ("export=3", "export is 3; give a callable (model, inputs, path) -> None"),
    "two files": ("export=print, artifact='x'", "export and artifact are both given; *"),
    "max_examples": ("max_examples=0", "max_examples is 0; give a whole number of cases, 1 or more"),
    "budget": ("budget='soon'", "budget is 'soon'; give a number of seconds above 0"),
    "xfail check": ("xfail={'shape': 'x'}", f"xfail names 'shape'; use one of {CHECKS}"),
    "xfail reason": ("xfail={'shapes': ''}", "xfail[[]'shapes'[]] is ''; give the reason as text"),
}


@pytest.mark.slow
@pytest.mark.parametrize(("keywords", "sentence"), BAD_MARKERS.values(), ids=BAD_MARKERS)
def test_a_bad_marker_is_a_collection_error_with_file_and_line(
    project: Project, run: Run, keywords: str, sentence: str
) -> None:
    project(f"\n@pytest.mark.torchscript({keywords})\ndef test_x():\n    return Doubles()\n")
    result = run()
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"test_export.py:5: test_x: @pytest.mark.torchscript: {sentence}"])
    assert "Traceback" not in result.stdout.str()
    assert "pytest_tsexport/" not in result.stdout.str()


@pytest.mark.slow
def test_a_bad_marker_is_a_collection_error_with_workers(project: Project, run: Run) -> None:
    project("@pytest.mark.torchscript(example=1)\ndef test_x():\n    return 3\n", head=LIGHT)
    result = run("-n2")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["test_export.py:2: test_x: @pytest.mark.torchscript: unknown keyword 'example'; *"])


def test_a_bad_marker_of_a_parameter_is_a_collection_error(project: Project, run: Run) -> None:
    project("""
@pytest.mark.torchscript
@pytest.mark.parametrize("n", [1, pytest.param(2, marks=pytest.mark.torchscript(example=1))])
def test_x(n):
    return Doubles()
""")
    result = run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["test_export.py:5: test_x: @pytest.mark.torchscript: unknown keyword 'example'; *"])


@pytest.mark.slow
def test_a_bad_marker_that_only_a_parameter_has_is_a_collection_error(project: Project, run: Run) -> None:
    project(
        "@pytest.mark.parametrize('n', [pytest.param(1, marks=pytest.mark.torchscript(example=1))])\n"
        "def test_x(n):\n    return 3\n",
        head=LIGHT,
    )
    result = run()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["test_export.py:2: test_x: @pytest.mark.torchscript: unknown keyword 'example'; *"])


VALID = "return an nn.Module, a ScriptModule, or (module, inputs)"
BAD_TESTS = {
    "forgets return": (
        "@pytest.mark.torchscript(checks=['trace'])\ndef test_x():\n    Doubles()\n",
        f"test_x returned None; a function marked torchscript must {VALID}",
    ),
    "returns no module": (
        "@pytest.mark.torchscript(checks=['trace'])\ndef test_x():\n    return 'a model'\n",
        "test_x: *str*",
    ),
    "returns no module, bare": ("@pytest.mark.torchscript\ndef test_x():\n    return 3\n", "test_x: *int*"),
    "async": (
        "@pytest.mark.torchscript\nasync def test_x():\n    return Doubles()\n",
        f"test_x is async, and no check can await it; make it a plain `def`, and {VALID}",
    ),
    "async with a keyword": (
        "@pytest.mark.torchscript(checks=['trace'])\nasync def test_x():\n    pass\n",
        f"test_x is async, and no check can await it; make it a plain `def`, and {VALID}",
    ),
    "TestCase": (
        "import unittest\n\nclass TestX(unittest.TestCase):\n"
        "    @pytest.mark.torchscript\n    def test_x(self):\n        return Doubles()\n",
        "test_x returned a Doubles, which no check looked at: a method of a unittest.TestCase is one test; *",
    ),
    "TestCase with a keyword": (
        "import unittest\n\nclass TestX(unittest.TestCase):\n"
        "    @pytest.mark.torchscript(checks=['trace'])\n    def test_x(self):\n        pass\n",
        f"test_x returned None; a function marked torchscript must {VALID}",
    ),
    "inside pytest.param": (
        "@pytest.mark.parametrize('n', [pytest.param(1, marks=pytest.mark.torchscript)])\n"
        "def test_x(n):\n    return Doubles()\n",
        "test_x returned a Doubles, which no check looked at: its marker is inside pytest.param; "
        "put @pytest.mark.torchscript on the function",
    ),
    "input that the model has no argument for": (
        "@pytest.mark.torchscript(inputs={'y': torch.ones(2, 3)}, checks=['trace'])\n"
        "def test_x():\n    return Doubles()\n",
        "test_x: *y*",
    ),
    "size of a dimension": (
        "@pytest.mark.torchscript(inputs=ROWS, dynamic_shapes={'x': {0: 5}}, checks=['trace'])\n"
        "def test_x():\n    return Doubles()\n",
        "test_x: dynamic_shapes[[]'x'[]] says 5 for dimension 0, and the example has 2; give an axis name or a *",
    ),
    "switch of a dimension": (
        "@pytest.mark.torchscript(inputs=ROWS, dynamic_shapes={'x': {0: True}}, checks=['trace'])\n"
        "def test_x():\n    return Doubles()\n",
        "test_x: dynamic_shapes[[]'x'[]] holds True; give an axis name or a torch.export.Dim",
    ),
    "missing artifact": (
        "@pytest.mark.torchscript(inputs=ROWS, artifact='gone.ts', checks=['trace'])\n"
        "def test_x():\n    return Doubles()\n",
        "test_x: *gone.ts*",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize(("body", "sentence"), BAD_TESTS.values(), ids=BAD_TESTS)
def test_a_bad_test_fails_in_one_sentence(project: Project, run: Run, body: str, sentence: str) -> None:
    project(body)
    result = run()
    outcomes = result.parseoutcomes()
    assert outcomes.pop("skipped", 5) == 5  # one item says it, and the others of a subject are not run
    assert outcomes == {"failed": 1}
    result.stdout.fnmatch_lines([sentence])
    assert "Traceback" not in result.stdout.str()
    assert "pytest_tsexport/" not in result.stdout.str()
