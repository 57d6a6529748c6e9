"""Each model type has a page and a badge at an address of its own, and the table is whole without a script."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from docs.atlas.faults.show import FAULTS
from docs.make_atlas import pages
from docs.make_atlas.__main__ import ATLAS, made
from docs.make_atlas.states import STATES
from tests.atlas.runs import WRONG, failed, lost, replaced, right, run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The pages of an atlas of four model types."""
    silent = failed("shapes", "silently wrong <b>", visits=WRONG, of="qwen3_next")
    jit = run(*right("bert"), *replaced(silent, of="qwen3_next"), unanswered=(lost("vit", "needs `inputs`"),))
    simulated = run(*right("bert", backend="neuron-sim"))
    (tmp_path / "index.md").write_text(ATLAS.with_name("index.md").read_text(encoding="utf-8"), encoding="utf-8")
    pages.write(made([jit, simulated]), tmp_path)
    return tmp_path


def test_there_is_a_page_and_a_badge_for_each_type(folder: Path) -> None:
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    types = ("bert", "qwen3_next", "vit")
    assert names == {
        "index.md",
        "badge/neuron-sim/bert.json",
        *(f"{name}.md" for name in types),
        *(f"badge/{name}.json" for name in types),
    }


def test_the_badge_is_an_endpoint_of_shields(folder: Path) -> None:
    badge = json.loads((folder / "badge" / "qwen3_next.json").read_text(encoding="utf-8"))
    assert badge == {"schemaVersion": 1, "label": "TorchScript", "message": "wrong", "color": "red"}
    simulated = json.loads((folder / "badge" / "neuron-sim" / "bert.json").read_text(encoding="utf-8"))
    assert simulated["label"] == "neuron-sim (a simulation)"


def test_every_state_has_a_color_of_its_own() -> None:
    assert set(pages.COLORS) == set(STATES)
    assert len(set(pages.COLORS.values())) == len(STATES)


def test_the_table_has_every_row_and_a_search_box_that_waits_for_its_script(folder: Path) -> None:
    text = (folder / "index.md").read_text(encoding="utf-8")
    assert pages.PLACE not in text
    assert re.findall(r'<a href="(\w+)/">', text) == ["bert", "qwen3_next", "vit"]
    assert text.count("no run on this backend") == 2
    assert '<p class="atlas-search" hidden>' in text
    assert "silently wrong &lt;b&gt;" in text
    assert "src=" not in text
    counts = [line for line in text.splitlines() if line.startswith("| wrong | 1")]
    assert counts == ["| wrong | 1 | 0 |"]


def test_the_page_of_a_fault_has_its_script_and_its_cause(folder: Path) -> None:
    text = (folder / "qwen3_next.md").read_text(encoding="utf-8")
    assert FAULTS["qwen3_next"].cause in text
    assert 'AutoConfig.for_model(\n    "qwen3_next"'.replace('"', "'") in text
    assert "| sequence | 7 | 6-7 |  | 8-9 (from 8 on) |" in text
    assert "--ts-architectures=qwen3_next --ts-backend=jit --ts-budget=9 --ts-seed=5" in text
    assert "The likely cause: `modeling_x.py:7, in layers.0`." in text


def test_what_markdown_would_change_stays_as_it_is() -> None:
    row = made([run(*replaced(failed("shapes", "a_b", notes=("--auto-cast *none*",), visits=WRONG)))])["types"]["bert"]
    assert "- &#45;&#45;auto-cast &#42;none&#42;" in pages.page_of("bert", row, {"torch": "2.13.0"})


def test_a_page_says_why_nothing_was_looked_at(folder: Path) -> None:
    assert "not looked at</span> needs `inputs`" in (folder / "vit.md").read_text(encoding="utf-8")


def test_the_fault_of_a_part_is_on_the_page_of_its_model(folder: Path) -> None:
    row = made([run(*right("aimv2"))])["types"]["aimv2"]
    text = pages.page_of("aimv2", row, {"torch": "2.13.0"})
    assert "Aimv2TextModel" in text
