"""The options: one row for each, with its name, what it sets, what is valid, and its sentence in `--help` and the docs.

A row is a field of `RunOptions`. Everything else about an option is read from its row: the ini twin, `--help`, the
validation, the reference page and, if the option is a keyword of the marker too, the keyword. Every pytest run loads
this module, so it holds no code of the validators: a row names the function of `validators` that it needs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_tsexport.config.baseline import Baseline
    from pytest_tsexport.config.given_models import GivenInputs
    from pytest_tsexport.config.isolation import Isolation
    from pytest_tsexport.config.known_failures import KnownFailures

JUDGED = "what is judged"
SUITE = "the validation suite"
WHERE = "where it runs"
EFFORT = "how hard to look"
FILES = "files that a run reads and keeps"

MODEL_DTYPES = ("auto", "float32", "float16", "bfloat16", "float64")

DEFAULT_BUDGET = 60.0
DEFAULT_TIMEOUT = 1800.0


class Option(NamedTuple):
    """`--ts-{name}` and its ini twin `ts_{name}`, under a heading of `--help` and the docs.

    `text` and `default` are Markdown, for the docs; `--help` shows them as plain text. `valid` is the name of a
    function of `validators`, or the words that are valid, or `module:function` if only a room above knows them. `many`:
    the option may be repeated, and each value is a list with commas. `number`: the value is a whole number.
    `is_keyword`: the marker has a keyword with the name of the field. `is_repeated`: the `rerun` command of a failure
    repeats the option. `bare` is the value of an option that is given without one. `in_root` is a file name: if the
    root folder has that file, it is the default of the ini.
    """

    name: str
    metavar: str
    group: str
    text: str
    valid: str | tuple[str, ...]
    default: str = ""
    many: bool = False
    number: bool = False
    is_keyword: bool = False
    is_repeated: bool = False
    bare: str = ""
    in_root: str = ""

    @property
    def flag(self) -> str:
        """As typed on the command line."""
        return f"--ts-{self.name}"

    @property
    def ini(self) -> str:
        """As written in the ini, and as pytest stores it."""
        return f"ts_{self.name.replace('-', '_')}"

    @property
    def on_command_line(self) -> Mapping[str, Any]:
        """What `argparse` is told of the option besides its flag."""
        named = {"dest": self.ini, "metavar": self.metavar, "help": self.help}
        bare = {"nargs": "?", "const": self.bare} if self.bare else {}
        return {"action": "append" if self.many else "store", **named, **bare}

    @property
    def ini_type(self) -> Literal["string", "linelist", "int"]:
        """The type that pytest reads from the ini."""
        return "linelist" if self.many else "int" if self.number else "string"

    @property
    def help(self) -> str:
        """The sentence in `--help`."""
        return plain(f"{self.text} (default: {self.default})" if self.default else self.text)


def set_by(row: object, empty: Callable[[], object] | None = None) -> Any:
    """The dataclass field that `row` describes. Without a value from the user it is `empty()`, or None."""
    metadata = {"row": row}
    return field(default=None, metadata=metadata) if empty is None else field(default_factory=empty, metadata=metadata)


def rows_of(owner: type) -> Mapping[str, Any]:
    """The row of each field of a dataclass whose fields are made by `set_by`."""
    return {one.name: one.metadata["row"] for one in fields(owner)}


def plain(markdown: str) -> str:
    """A Markdown sentence as plain text, without links and backticks."""
    return re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", markdown).replace("`", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """What a run asks for: how hard to look, where, and what it reads and keeps. None means "not given here"."""

    # Formatted by hand, one option in one paragraph: so the table stays readable when it grows.
    # fmt: off

    models: tuple[str, ...] | None = set_by(Option(
        "model", "MODEL", JUDGED, many=True, valid="texts",
        text="validate [this model](../how-to/validate-a-checkpoint.md) with no test file: a checkpoint folder, a "
        "cached hub id, or module:callable",
    ))
    model_revision: str | None = set_by(Option(
        "model-revision", "REVISION", JUDGED, valid="text", default="`main`",
        text="the revision of the cached hub id of `--ts-model`",
    ))
    model_dtype: str | None = set_by(Option(
        "model-dtype", "DTYPE", JUDGED, valid=MODEL_DTYPES, default="what Transformers takes",
        text="the dtype of the weights that `--ts-model` loads: " + ", ".join(MODEL_DTYPES),
    ))
    trust_remote_code: Literal["on", "off"] | None = set_by(Option(
        "trust-remote-code", "on|off", JUDGED, valid=("on", "off"), bare="on", default="`off`",
        text="run the Python code that a checkpoint of `--ts-model` brings",
    ))
    input_files: tuple[GivenInputs, ...] | None = set_by(Option(
        "inputs", "FILE", JUDGED, many=True, valid="pytest_tsexport.config.given_models:given_inputs",
        text="a safetensors file of inputs for `--ts-model`; `NAME=FILE` for each of several", default="derived",
    ))
    artifact: Path | None = set_by(Option(
        "artifact", "FILE", JUDGED, valid="path", text="judge this file as the export of `--ts-model`",
    ))
    demo: Literal["on", "off"] | None = set_by(Option(
        "demo", "on|off", JUDGED, valid="pytest_tsexport.config.given_models:demo", bare="on", default="`off`",
        text="validate two small models of this package in place of the tests, one of them wrong; not in the ini",
    ))
    init_folder: Path | None = set_by(Option(
        "init", "DIR", JUDGED, valid="pytest_tsexport.config.given_models:init_folder", bare=".",
        text="print a test for each checkpoint in this folder, by default the current one, and end; not in the ini",
    ))

    architectures: tuple[str, ...] | None = set_by(Option(
        "architectures", "TYPE", SUITE, many=True, valid="pytest_tsexport.suite.selection:architectures",
        text="model types of Transformers that [the validation suite](../how-to/validate-an-architecture.md) takes, by "
        "name or pattern (`*`, `?`)", default="all",
    ))
    heads: tuple[str, ...] | None = set_by(Option(
        "heads", "HEAD", SUITE, many=True, valid="pytest_tsexport.suite.selection:heads", default="none",
        text="heads of each model type that the validation suite takes too: `all`, or by name or pattern, as "
        "`ForMaskedLM`",
    ))

    backends: tuple[str, ...] | None = set_by(Option(
        "backend", "NAME", WHERE, many=True, valid="backends", is_keyword=True, is_repeated=True, default="`jit`",
        text="backends to export with: `jit`, `neuron`, `neuron-sim` (a simulation)",
    ))
    neuron_args: tuple[str, ...] | None = set_by(Option(
        "neuron-args", "ARGS", WHERE, valid="arguments", is_keyword=True, is_repeated=True,
        text="arguments of the Neuron compiler, for example `--auto-cast matmult --auto-cast-type bf16`",
        default="the compiler's own defaults",
    ))
    timeout: float | None = set_by(Option(
        "timeout", "SECONDS", WHERE, valid="seconds", is_repeated=True, default=f"{DEFAULT_TIMEOUT:g}",
        text="seconds that a compiler may take for one export, and that the "
        "[essential cases](../explanation/detection.md#essential-cases) of one check may take on any backend; "
        "with `--ts-isolate`, also that a process may give no sign of life",
    ))
    isolate: Isolation | None = set_by(Option(
        "isolate", "SIZE", WHERE, valid="pytest_tsexport.config.isolation:given_isolation", is_repeated=True,
        bare="auto", default="`off`",
        text="export and judge each marked function in [a process of its own](../how-to/isolate.md), which may use "
        "this much memory (`4GiB`); `auto`, or no value, is its share of the machine; `off` is one process for all",
    ))
    on_unavailable: Literal["fail", "skip"] | None = set_by(Option(
        "on-unavailable", "fail|skip", WHERE, valid=("fail", "skip"), default="`fail`",
        text="what happens to an item whose backend cannot work on this machine",
    ))

    checks: tuple[str, ...] | None = set_by(Option(
        "checks", "NAME", EFFORT, many=True, valid="checks", is_keyword=True,
        text="checks to run; `-NAME` leaves one out, as in `--ts-checks=-shapes`",
        default="all; `interface` only with [a baseline](../how-to/baseline.md)",
    ))
    max_examples: int | None = set_by(Option(
        "max-examples", "N", EFFORT, number=True, valid="count", is_keyword=True, is_repeated=True,
        text="cases for each check, 1 or more", default="100, or that of the hypothesis profile",
    ))
    budget: float | None = set_by(Option(
        "budget", "SECONDS", EFFORT, valid="seconds", is_keyword=True, is_repeated=True,
        text="seconds of CPU time that the search for one subject may take on one backend, beyond its essential cases; "
        "[not the export](../explanation/detection.md#what-the-budget-pays-for), nor the process of `round_trip`",
        default=f"{DEFAULT_BUDGET:g}",
    ))
    seed: int | None = set_by(Option(
        "seed", "N", EFFORT, number=True, valid="whole_number",
        text="the seed of every search, a whole number",
        default="drawn for each run; fixed if hypothesis derandomises, as in CI",
    ))

    baseline: Baseline | None = set_by(Option(
        "baseline", "FILE", FILES, valid="interface_baseline", in_root="ts-baseline.json",
        text="write the interface of each export to this file; in the ini, compare with it",
        default="compare with `ts-baseline.json` in the root folder, if it exists",
    ))
    counterexamples: Path | None = set_by(Option(
        "counterexamples", "FILE", FILES, valid="path",
        text="try the counterexamples in this file first, and add those that are found",
    ))
    known_failures: KnownFailures | None = set_by(Option(
        "known-failures", "FILE", FILES, valid="pytest_tsexport.config.known_failures:given_table",
        text="the checks that this file lists [are known to fail](../how-to/known-failures.md)",
    ))
    reports: tuple[Path, ...] | None = set_by(Option(
        "report", "FILE", FILES, many=True, valid="pytest_tsexport.config.report_files:report_files",
        text="write the verdicts of the run to this file: `x.json`, `x.md` or `x.html`, [a report](report.md) for a "
        "program, for a pull request, or for a browser; or `x.intoto.json`, [a statement]"
        "(../how-to/prove-what-was-judged.md) about the judged files by hash",
    ))
    export_dir: Path | None = set_by(Option(
        "export-dir", "DIR", FILES, valid="folder",
        text="keep the artifacts in this folder, under names [that say what was found]"
        "(../how-to/prove-what-was-judged.md#write-the-statement)",
    ))

    # fmt: on

    @property
    def search_seconds(self) -> float:
        """Seconds of CPU time that the search for one subject may take."""
        return DEFAULT_BUDGET if self.budget is None else self.budget

    @property
    def timeout_seconds(self) -> float:
        """Seconds that a compiler may take for one export, and the essential cases of one check."""
        return DEFAULT_TIMEOUT if self.timeout is None else self.timeout

    @property
    def is_isolated(self) -> bool:
        """Whether each marked function has a process of its own."""
        return self.isolate is not None and self.isolate.is_on

    def over(self, weaker: RunOptions) -> RunOptions:
        """These options, completed by those of `weaker`."""
        mine = {name: getattr(self, name) for name in OPTIONS}
        return RunOptions(**{n: getattr(weaker, n) if value is None else value for n, value in mine.items()})


OPTIONS: Mapping[str, Option] = rows_of(RunOptions)
"""The row of each option, by the field that it sets, in the order of `--help` and the docs."""
