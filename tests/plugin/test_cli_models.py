"""`--ts-model` validates a model with no test file, by ordinary items."""

from __future__ import annotations

import json

import pytest

from tests.plugin.conftest import Project, Run

FACTORY = """
import torch
from specimens import IDS, ROWS, BakesBatch, Doubles, TiedHead

def right():
    return TiedHead(), IDS

def wrong():
    return BakesBatch(), ROWS
"""
SMALL = ("--ts-checks=trace,shapes", "--ts-max-examples=30")


@pytest.fixture
def folder(project: Project) -> None:
    project(
        "def test_of_the_repository():\n    pass\n",
        factory_py=FACTORY,
        pytest_ini="[pytest]\ntestpaths = .\npythonpath = .\n",
    )


@pytest.mark.usefixtures("folder")
def test_only_the_model_is_validated(run: Run, plugin_args: tuple[str, ...]) -> None:
    result = run("--ts-model=factory:right", "-v", *SMALL, *plugin_args)
    result.assert_outcomes(passed=2)
    for check in ("trace", "shapes"):
        result.stdout.fnmatch_lines([f"*ts-model::test_model?factory:right-jit-{check}?*"])


@pytest.mark.usefixtures("folder")
def test_files_that_are_named_run_too(run: Run) -> None:
    run("--ts-model=factory:right", "test_export.py", *SMALL).assert_outcomes(passed=3)


@pytest.mark.usefixtures("folder")
def test_a_failure_says_how_to_rerun_it_and_last_failed_does_it(run: Run) -> None:
    result = run("--ts-model=factory:right,factory:wrong", "--ts-seed=7", *SMALL)
    result.assert_outcomes(passed=3, failed=1)
    rerun = 'pytest "--ts-model=factory:wrong" -k jit-shapes --ts-max-examples=30 --ts-checks=shapes --ts-seed=7'
    result.stdout.fnmatch_lines([f"  rerun * {rerun}"])
    result = run("--ts-model=factory:wrong", "-k", "jit-shapes", "--ts-max-examples=30", "--ts-checks=shapes")
    result.assert_outcomes(failed=1)
    run("--ts-model=factory:right,factory:wrong", "--lf", *SMALL).assert_outcomes(failed=1)


@pytest.mark.usefixtures("folder")
def test_a_file_is_judged_as_the_export_of_the_model(run: Run, pytester: pytest.Pytester) -> None:
    run("--ts-model=factory:wrong", "--ts-checks=trace", "--ts-export-dir=kept").assert_outcomes(passed=1)
    (file,) = (path for path in pytester.path.joinpath("kept").rglob("*") if path.is_file())
    result = run("--ts-model=factory:wrong", f"--ts-artifact={file}", *SMALL)
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines([f"  rerun *--ts-artifact={file}* -k jit-shapes *"])


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("gone/model", "--ts-model: 'gone/model' is neither a checkpoint folder nor a hub id in the cache"),
        ("no_module:right", "--ts-model: 'no_module:right' cannot be called: No module named 'no_module'; give *"),
        ("factory:left", "--ts-model: 'factory:left' cannot be called: *; give module:callable, or a checkpoint"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_a_model_that_is_not_there_fails_in_a_sentence(run: Run, name: str, sentence: str) -> None:
    result = run(f"--ts-model={name}", "--ts-checks=trace")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([sentence])
    assert "Traceback" not in result.stdout.str()


def test_a_checkpoint_folder_is_loaded_with_the_head_that_was_trained(
    project: Project, run: Run, pytester: pytest.Pytester
) -> None:
    import transformers

    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    config = transformers.BertConfig(vocab_size=40, max_position_embeddings=16, **sizes)
    transformers.BertForMaskedLM(config).save_pretrained(pytester.path / "tiny.v1")
    project("", conftest_py="def pytest_ts_report(verdicts):\n    print('REPORTED', verdicts[0].signature)\n")
    result = run("--ts-model=./tiny.v1", "--ts-checks=trace", "-s", "-v", "-W", "default")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["ts-model::test_model?tiny.v1-jit-trace? *REPORTED *-> logits f32"])


def test_a_given_model_gets_its_inputs_from_the_conftest(project: Project, run: Run) -> None:
    hook = "from specimens import ROWS\n\ndef pytest_ts_inputs(model):\n    return ROWS\n"
    factory = "from specimens import Doubles\n\ndef bare():\n    return Doubles()\n"
    project("", factory_py=factory, conftest_py=hook, pytest_ini="[pytest]\npythonpath = .\n")
    run("--ts-model=factory:bare", "--ts-checks=trace").assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (("--ts-inputs=x.pt",), "--ts-inputs is 'x.pt'; give a file that ends in .safetensors, which *"),
        (("--ts-inputs=gone.safetensors",), "--ts-inputs is 'gone.safetensors'; there is no such file"),
        (("--ts-inputs=x.safetensors",), "--ts-inputs is '*x.safetensors'; give it with --ts-model, the model that *"),
        (
            ("--ts-model=a:b,c:d", "--ts-inputs=x.safetensors"),
            "--ts-inputs is '*x.safetensors', and there are 2 models; give NAME=FILE, as a:b=*x.safetensors",
        ),
        (
            ("--ts-model=a:b,c:d", "--ts-inputs=e=x.safetensors"),
            "--ts-inputs is 'e=*x.safetensors', and no --ts-model is 'e'; the models are a:b, c:d",
        ),
        (
            ("--ts-model=a:b", "--ts-inputs=a:b=x.safetensors,x.safetensors"),
            "--ts-inputs is '*x.safetensors', and this model has a file of inputs already; give one",
        ),
        (("--ts-model=a:b", "--ts-model-dtype=float16"), "--ts-model-dtype is 'float16'; give it with a --ts-model *"),
        (("--ts-model-revision=v2",), "--ts-model-revision is 'v2'; give it with a --ts-model that is a checkpoint"),
        (("--ts-trust-remote-code",), "--ts-trust-remote-code is 'on'; give it with a --ts-model that is a checkpoint"),
        (("-o", "ts_demo=on"), "ts_demo is 'on'; give it on the command line, as --ts-demo"),
        (("-o", "ts_init=models"), "ts_init is 'models'; give it on the command line, as --ts-init"),
        (("--ts-init=",), "--ts-init is '', which is no folder; give one that holds checkpoints"),
        (("--ts-demo=perhaps",), "--ts-demo *'perhaps'*"),
        (("--ts-model=a:b", "--ts-model-dtype=int8"), "--ts-model-dtype *'int8'*"),
        (("--ts-model=a:b", "--ts-model-revision="), "--ts-model-revision is empty; give a text"),
        (("--ts-model=a:b", "--ts-trust-remote-code=perhaps"), "--ts-trust-remote-code *'perhaps'*"),
    ],
)
def test_a_bad_option_of_models_is_exit_code_4(
    project: Project, run: Run, pytester: pytest.Pytester, args: tuple[str, ...], sentence: str
) -> None:
    project("def test_of_the_repository():\n    pass\n", head="")
    (pytester.path / "x.safetensors").touch()
    result = run(*args)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {sentence}"])


def test_the_demo_has_one_right_export_and_one_that_is_wrong_on_purpose(project: Project, run: Run) -> None:
    project("def test_of_the_repository():\n    pass\n", head="")
    result = run("--ts-demo", "--ts-checks=-round_trip", "--ts-seed=1", "-W", "default")
    result.assert_outcomes(passed=5, failed=1, skipped=4)
    result.stdout.fnmatch_lines(
        [
            "*test_wrong?jit-shapes?*",
            "  likely cause *demo_models.py:*, in AveragesWindows",
            "  rerun * pytest --ts-demo -k jit-shapes *",
            "demo: test_wrong is wrong on purpose. *",
        ]
    )


CONFIGS = {
    "a/tiny.v1": {"model_type": "bert", "architectures": ["BertForMaskedLM"]},
    "b/Tiny v1": {"model_type": "bert"},
    "c": {"architectures": ["Own"], "auto_map": {"AutoModelForCausalLM": "own.Own"}},
    ".hidden": {"model_type": "bert"},
    "c_2": {"architectures": ["Other"]},
    "d/c": {"architectures": ["Other"]},
    "other": {"name": "no model"},
    "unsafe": {"model_type": "bert", "architectures": ["AutoModel; print(1) #"]},
    "strange": {"model_type": "bert", "architectures": {"a": 1}, "auto_map": ["x"]},
}


@pytest.fixture
def checkpoints(pytester: pytest.Pytester) -> None:
    for name, config in CONFIGS.items():
        folder = pytester.path / "models" / name
        folder.mkdir(parents=True)
        (folder / "config.json").write_text(json.dumps(config))
    (pytester.path / "models" / "broken").mkdir()
    (pytester.path / "models" / "broken" / "config.json").write_text("{")


@pytest.mark.usefixtures("checkpoints")
def test_a_test_for_each_checkpoint_is_printed(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    result = run("--ts-init=models")
    assert result.ret == 0
    text = capsys.readouterr().out
    compile(text, "printed", "exec")
    assert "print(1)" not in text
    assert text.count("\n    # This checkpoint brings Python code of its own. If you trust it, add ") == 2
    calls = [line.strip() for line in text.splitlines() if line.startswith(("def ", "    return "))]
    assert calls == [
        "def test_tiny_v1():",
        "return BertForMaskedLM.from_pretrained('models/a/tiny.v1', local_files_only=True)",
        "def test_tiny_v1_2():",
        "return AutoModel.from_pretrained('models/b/Tiny v1', local_files_only=True)",
        "def test_c():",
        "return AutoModelForCausalLM.from_pretrained('models/c', local_files_only=True)",
        "def test_c_2():",
        "return Other.from_pretrained('models/c_2', local_files_only=True)",
        "def test_c_3():",
        "return Other.from_pretrained('models/d/c', local_files_only=True)",
        "def test_strange():",
        "return AutoModel.from_pretrained('models/strange', local_files_only=True)",
    ]
    assert text.count("@pytest.mark.torchscript\n") == len(calls) / 2


@pytest.mark.parametrize(
    ("folder", "sentence"),
    [
        ("gone", "--ts-init is 'gone', which is no folder; give one that holds checkpoints"),
        ("models/other", "--ts-init is 'models/other', and no folder in it holds a config.json that names a model; *"),
    ],
)
@pytest.mark.usefixtures("checkpoints")
def test_a_folder_without_checkpoints_is_exit_code_4(run: Run, folder: str, sentence: str) -> None:
    result = run(f"--ts-init={folder}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {sentence}"])


@pytest.mark.usefixtures("folder")
def test_only_a_checkpoint_is_rerun_with_the_options_of_a_checkpoint(run: Run, pytester: pytest.Pytester) -> None:
    (pytester.path / "empty").mkdir()
    result = run("--ts-model=factory:wrong,empty", "--ts-model-dtype=float16", "--ts-seed=7", *SMALL)
    (line,) = [line for line in result.outlines if line.startswith("  rerun")]
    assert "--ts-model-dtype" not in line
