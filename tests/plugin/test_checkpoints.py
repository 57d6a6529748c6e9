"""`--ts-model` with checkpoints: how they are loaded, their inputs, and what is wrong with a folder in one sentence."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import transformers

from tests.plugin.conftest import Project, Run

SIZES = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
CONFIG = transformers.BertConfig(vocab_size=40, max_position_embeddings=16, **SIZES)
TRACE = ("--ts-checks=trace", "-W", "default")
SHOWS_DTYPE = """
def pytest_ts_report(verdicts):
    print("REPORTED", verdicts[0].signature)
"""


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saved") / "tiny"
    transformers.BertForMaskedLM(CONFIG).save_pretrained(folder)
    return folder


@pytest.fixture
def tiny(saved: Path, project: Project, pytester: pytest.Pytester) -> Path:
    """A checkpoint folder that a test may spoil, in the folder of the inner run."""
    project("", conftest_py=SHOWS_DTYPE)
    return Path(shutil.copytree(saved, pytester.path / "tiny"))


def keep_as_pickle(folder: Path, content: object) -> None:
    (folder / "model.safetensors").unlink()
    torch.save(content, folder / "pytorch_model.bin")


class RunsCode:
    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (Path("it-ran"),)


def bring_code(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "own", "architectures": ["OwnModel"]}
    config["auto_map"] = {"AutoConfig": "own.OwnConfig", "AutoModel": "own.OwnModel"}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "own.py").write_text(
        "import pathlib\nfrom transformers import BertConfig, BertForMaskedLM\n"
        "pathlib.Path('it-ran').touch()\n"
        "class OwnConfig(BertConfig):\n    model_type = 'own'\n"
        "class OwnModel(BertForMaskedLM):\n    config_class = OwnConfig\n"
    )


def cut(folder: Path, size: int) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:size])


def change(folder: Path, **changed: object) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | changed))


def rename_head(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    tensors = load_file(folder / "model.safetensors")
    renamed = {name.replace("cls.", "classifier."): one for name, one in tensors.items()}
    save_file(renamed, folder / "model.safetensors", {"format": "pt"})


def lose_a_shard(folder: Path) -> None:
    first, second = (f"model-0000{number}-of-00002.safetensors" for number in (1, 2))
    (folder / "model.safetensors").rename(folder / first)
    index(folder, {"a": first, "b": second})


def index(folder: Path, files: dict[str, object]) -> None:
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": files}))


def index_nothing(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    index(folder, {"a": 1})


POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"

SPOILS: dict[str, tuple[Callable[[Path], object], str]] = {
    "no config": (lambda it: (it / "config.json").unlink(), "it has no config.json; give a folder that *"),
    "an adapter": (
        lambda it: (it / "config.json").rename(it / "adapter_config.json"),
        "it holds an adapter and not a whole model; merge the adapter into its model, and save that",
    ),
    "no JSON": (lambda it: (it / "config.json").write_text("{"), "its config.json is not JSON: * in line 1"),
    "no object": (
        lambda it: (it / "config.json").write_text("[1]"),
        "its config.json is ?1?; a config is a JSON object",
    ),
    "not text": (lambda it: (it / "config.json").write_bytes(b"\xff"), "its config.json cannot be read as text: *"),
    "no weights": (lambda it: (it / "model.safetensors").unlink(), "it has no weights; give a folder with *"),
    "weights of another library": (
        lambda it: (it / "model.safetensors").rename(it / "tf_model.h5"),
        "its weights are tf_model.h5, which torch does not read; give a folder with model.safetensors",
    ),
    "a pointer": (
        lambda it: (it / "model.safetensors").write_text(POINTER),
        "its model.safetensors is a Git LFS pointer and not the file; run `git lfs pull` there",
    ),
    "a pointer for a config": (
        lambda it: (it / "config.json").write_text(POINTER),
        "its config.json is a Git LFS pointer and not the file; run `git lfs pull` there",
    ),
    "cut off": (lambda it: cut(it, 9000), "its model.safetensors is cut off: it has 9000 of * bytes"),
    "cut off in its header": (lambda it: cut(it, 100), "its model.safetensors is not a safetensors file, or is cut *"),
    "empty": (lambda it: cut(it, 0), "its model.safetensors is not a safetensors file, or is cut off in its header: *"),
    "a shard that is missing": (
        lose_a_shard,
        "it has no model-00002-of-00002.safetensors, which model.safetensors.index.json names; a part of the weights *",
    ),
    "a pickle that runs code": (
        lambda it: keep_as_pickle(it, RunsCode()),
        "its weights are a pickle that torch refuses, because loading it could run code; save it as safetensors",
    ),
    "weights that are missing": (
        rename_head,
        "it has no weights for cls.predictions.bias, cls.predictions.decoder.bias and 4 more of "
        "BertForMaskedLM; they would be drawn at random",
    ),
    "other sizes": (
        lambda it: change(it, vocab_size=50),
        "it has bert.embeddings.word_embeddings.weight of a size * its config *say* and * more",
    ),
    "garbage": (
        lambda it: (it / "model.safetensors").rename(it / "pytorch_model.bin").write_text("no checkpoint"),
        "its weights are a pickle that torch cannot read",
    ),
    "an index of nothing": (
        index_nothing,
        'its model.safetensors.index.json is no index of weights, which has "metadata" and a "weight_map" of files',
    ),
    "JSON without an end": (lambda it: (it / "config.json").write_text("[" * 100000), "its config.json *"),
}


@pytest.mark.slow
@pytest.mark.parametrize("spoil", SPOILS)
def test_what_is_wrong_with_a_folder_is_one_sentence(
    tiny: Path, run: Run, pytester: pytest.Pytester, spoil: str
) -> None:
    how, sentence = SPOILS[spoil]
    how(tiny)
    result = run("--ts-model=tiny", *TRACE)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"--ts-model: 'tiny' cannot be loaded as a checkpoint: {sentence}"])
    assert "Traceback" not in result.stdout.str()
    assert not (pytester.path / "it-ran").exists()


@pytest.mark.slow
def test_code_of_a_checkpoint_runs_only_if_it_is_trusted(
    tiny: Path, run: Run, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("transformers.dynamic_module_utils.HF_MODULES_CACHE", str(tmp_path / "modules"))
    bring_code(tiny)
    result = run("--ts-model=tiny", *TRACE)
    result.assert_outcomes(failed=1)
    sentence = "'tiny' brings code of its own, which was not run; if you trust it, give --ts-trust-remote-code"
    result.stdout.fnmatch_lines([f"--ts-model: {sentence}"])
    assert not (pytester.path / "it-ran").exists()
    result = run("--ts-model=tiny", "--ts-trust-remote-code", *TRACE)
    assert (pytester.path / "it-ran").exists()
    # torch cannot read a class whose module was named by a hash that begins with a digit
    assert result.parseoutcomes().get("passed") == 1 or "begins with a digit" in result.stdout.str()


@pytest.mark.slow
@pytest.mark.parametrize(("dtype", "answers"), [("float16", "f16"), ("bfloat16", "bf16"), ("float32", "f32")])
def test_weights_are_loaded_in_the_dtype_that_is_asked_for(tiny: Path, run: Run, dtype: str, answers: str) -> None:
    del tiny
    result = run("--ts-model=tiny", f"--ts-model-dtype={dtype}", "-s", *TRACE)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines([f"*REPORTED *-> logits {answers}"])


@pytest.mark.slow
def test_a_folder_has_no_revision_and_an_id_that_is_not_cached_is_told_with_its_revision(tiny: Path, run: Run) -> None:
    del tiny
    result = run("--ts-model=tiny", "--ts-model-revision=v2", *TRACE)
    result.stdout.fnmatch_lines(["* it is a folder, which has no revision 'v2'; give a cached hub id"])
    result = run("--ts-model=gone/model", "--ts-model-revision=v2", *TRACE)
    result.stdout.fnmatch_lines(
        ["--ts-model: 'gone/model' is neither a checkpoint folder nor a hub id in the cache with the revision 'v2'"]
    )


@pytest.mark.slow
def test_a_class_of_the_checkpoints_own_is_not_taken_for_one_of_transformers(tiny: Path, run: Run) -> None:
    change(tiny, auto_map={"AutoModelForMaskedLM": "own.BertForMaskedLM"})
    result = run("--ts-model=tiny", *TRACE)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["--ts-model: 'tiny' brings code of its own, which was not run; *"])


@pytest.mark.slow
def test_a_file_of_a_checkpoint_is_told_to_be_a_file(tiny: Path, run: Run) -> None:
    del tiny
    result = run("--ts-model=tiny/config.json", *TRACE)
    result.stdout.fnmatch_lines(["*: it is a file; give the folder that save_pretrained wrote"])


def inputs(file: Path, length: int) -> None:
    from safetensors.torch import save_file

    ids = torch.arange(2 * length).reshape(2, length)
    save_file({"input_ids": ids, "attention_mask": torch.ones_like(ids)}, file)


@pytest.mark.slow
def test_a_file_of_inputs_is_what_is_traced(tiny: Path, run: Run, pytester: pytest.Pytester) -> None:
    shutil.copytree(tiny, pytester.path / "other")
    inputs(pytester.path / "five.safetensors", 5)
    inputs(pytester.path / "nine.safetensors", 9)
    looks = ("--ts-checks=shapes", "--ts-max-examples=5", "-W", "default", "--ts-report=x.json")
    run("--ts-model=tiny", "--ts-inputs=five.safetensors", *looks).assert_outcomes(passed=1)
    assert lengths(pytester) == {"tiny": 5}
    both = ("--ts-inputs=tiny=five.safetensors,other=nine.safetensors", "--ts-model=tiny,other")
    run(*both, *looks).assert_outcomes(passed=2)
    assert lengths(pytester) == {"tiny": 5, "other": 9}


def lengths(pytester: pytest.Pytester) -> dict[str, int]:
    """The traced length of each model, as the report says it."""
    report = json.loads((pytester.path / "x.json").read_text())
    found = {}
    for one in report["verdicts"]:
        found[one["subject"].partition("[")[2].rstrip("]")] = {axis["name"]: axis["traced"] for axis in one["axes"]}[
            "sequence"
        ]
    return found


@pytest.mark.slow
def test_a_file_that_is_no_safetensors_file_is_one_sentence(tiny: Path, run: Run) -> None:
    (tiny.parent / "x.safetensors").write_text("nothing")
    result = run("--ts-model=tiny", "--ts-inputs=x.safetensors", *TRACE)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["--ts-inputs: *x.safetensors' is not a safetensors file: *"])
