"""The Markdown report is pinned whole, and never larger than a comment may be."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_tsexport.reports import markdown_report
from pytest_tsexport.reports.run_record import RunRecord
from pytest_tsexport.verdict import Outcome
from tests.reports.test_json_report import FAILED, LOST, RUN, TRACED, VERSIONS

WRONG = RunRecord(verdicts=(FAILED, TRACED, replace(TRACED, subject="test_export.py::test_gpt")), versions=VERSIONS)


def test_what_needs_a_reader_comes_first_and_the_rest_is_folded() -> None:
    assert (
        markdown_report.text(replace(WRONG, unanswered=(LOST,)))
        == """\
### TorchScript export: 1 wrong, 1 not judged, 1 right

3 exports: 1 right, 1 wrong, 1 not judged; 40 of 100 cases judged; 1.5 s

python 3.11.7, pytest-tsexport 0.1.0, torch 2.13.0, transformers not installed

| export | backend | result | what was found |
| --- | --- | --- | --- |
| `test_export.py::test_bert` | jit | **wrong** | shapes: silently wrong outside the traced size |
| `test_export.py::test_x` | jit | **not judged** | no verdict: died |

<details><summary>test_export.py::test_bert on jit: shapes</summary>

```text
jit-shapes: silently wrong outside the traced size
  traced at        batch ≠ 2
```

</details>

<details><summary>1 export right</summary>

| export | backend | checks | time |
| --- | --- | --- | --- |
| `test_export.py::test_gpt` | jit | trace | 0.0 s |

</details>

<details><summary>Notes, and what was not looked at</summary>

```text
note            shapes: a note (test_bert)
not looked at   shapes: sequence above 33 (test_bert)
no verdict      trace: died (test_x)
```

</details>

"""
    )


def test_a_run_in_which_all_is_right_is_short() -> None:
    text = markdown_report.text(RunRecord(verdicts=(TRACED,)))
    assert text.startswith("### TorchScript export: 1 right\n")
    assert "| what was found |" not in text


def test_a_known_failure_and_a_simulation_are_named() -> None:
    text = markdown_report.text(RUN)
    assert "**known to be wrong** | shapes (known)" in text
    assert "`neuron-sim` is a simulation on the CPU" in text
    assert "neuron-sim, a simulation" in text


def test_a_run_without_an_export_says_so() -> None:
    assert markdown_report.text(RunRecord(verdicts=())) == "### TorchScript export: no export was judged\n\n"


def test_a_run_that_was_cut_off_says_so() -> None:
    text = markdown_report.text(replace(WRONG, exit_status=2, complete=False))
    assert "pytest ended with exit status 2: not every selected item ran." in text
    assert "exit status" not in markdown_report.text(replace(WRONG, exit_status=4))


def test_what_was_not_run_says_why() -> None:
    refused = replace(TRACED, outcome=Outcome.NOT_RUN, headline="inputs are given twice")
    assert "| **not judged** | not run: inputs are given twice |" in markdown_report.text(
        RunRecord(verdicts=(refused,))
    )


@pytest.mark.slow
@pytest.mark.parametrize("most", [10_000, markdown_report.COMMENT, 1024 * 1024])
def test_a_report_is_never_larger_than_it_may_be_and_says_what_is_left_out(most: int) -> None:
    many = tuple(replace(FAILED, subject=f"test_é.py::test_{n}", headline="wrong 🙂 " * 30) for n in range(5000))
    text = markdown_report.text(RunRecord(verdicts=many, unanswered=(LOST,) * 20), most)
    assert most // 4 < len(text.encode()) <= most
    assert text.startswith("### TorchScript export: 5000 wrong, 1 not judged\n")
    assert text.splitlines()[-1].endswith("of this report had no room here; `--ts-report=x.html` has all.")
