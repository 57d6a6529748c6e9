"""Proves that the models people deploy on Neuron pass its rehearsal, and that no other size of theirs is computed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from pytest_tsexport.config.keywords import from_keywords
from pytest_tsexport.pipeline import Export, export
from pytest_tsexport.subjects.reference import Inputs
from pytest_tsexport.testing import judge
from pytest_tsexport.verdict import Outcome, Verdict
from tests.quality.turns import one_in
from tests.quality.wild import CHECKS
from tests.subjects.families import build

# Some families emit warnings.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")

CASES = 30
SEEDS = (0, 1, 2)
BATCH = 2

BF16 = ["--auto-cast", "matmult", "--auto-cast-type", "bf16"]


class Decodes(nn.Module):
    """MarianMT's decoder with its head, as it is compiled: the encoder's answer is one of its inputs."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.config = model.config
        self.model = model

    def forward(
        self, decoder_input_ids: torch.Tensor, encoder_hidden_states: torch.Tensor, encoder_attention_mask: torch.Tensor
    ) -> torch.Tensor:
        hidden = self.model.model.decoder(
            input_ids=decoder_input_ids,
            encoder_hidden_states=encoder_hidden_states,
            encoder_attention_mask=encoder_attention_mask,
            use_cache=False,
        )[0]
        logits: torch.Tensor = self.model.lm_head(hidden) + self.model.final_logits_bias
        return logits


def decoder_inputs() -> Inputs:
    generator = torch.Generator().manual_seed(11)
    return {
        "decoder_input_ids": torch.randint(3, 90, (BATCH, 5), generator=generator),
        "encoder_hidden_states": torch.randn(BATCH, 7, 32, generator=generator),
        "encoder_attention_mask": torch.ones(BATCH, 7, dtype=torch.int64),
    }


MODELS: Mapping[str, Callable[[], tuple[nn.Module, Inputs | None]]] = {
    "bert": lambda: (build("bert"), None),
    "distilbert": lambda: (build("distilbert"), None),
    "roberta": lambda: (build("roberta"), None),
    "marian's encoder": lambda: (build("marian").model.encoder, None),
    "marian's decoder": lambda: (Decodes(build("marian")), decoder_inputs()),
}


def verdicts(name: str, **keywords: Any) -> dict[str, Verdict]:
    model, inputs = MODELS[name]()
    return judge(model, inputs, backend="neuron-sim", **{"checks": CHECKS, "max_examples": CASES, **keywords})


def with_args(name: str, args: list[str], seed: int) -> dict[str, Verdict]:
    """The verdicts under compiler arguments."""
    model, inputs = MODELS[name]()
    policy = from_keywords({"inputs": inputs, "max_examples": CASES} if inputs else {"max_examples": CASES})
    policy = replace(policy, options=replace(policy.options, seed=seed, neuron_args=tuple(args)))
    made = export(model, policy, name=name, backend="neuron-sim")
    try:
        return {check: made.check(check) for check in CHECKS}
    finally:
        made.close()


def assert_right(found: Mapping[str, Verdict]) -> None:
    """Each check passes, or does not apply; what runs the file has looked hard enough."""
    assert {one.headline for one in found.values() if one.outcome is Outcome.FAILED} == set()
    assert {one.outcome for one in found.values()} <= {Outcome.PASSED, Outcome.NOT_APPLICABLE}
    for check in ("trace", "parity", "shapes", "padding"):
        assert found[check].outcome is Outcome.PASSED, found[check].headline
    assert found["parity"].judged == CASES
    assert found["shapes"].judged >= CASES - 3  # eager itself refuses what is longer than its table


@pytest.mark.one_in(3)
@one_in(3, "seed", SEEDS, str)
@pytest.mark.parametrize("name", MODELS)
def test_each_passes_and_raises_at_every_other_size(name: str, seed: int) -> None:
    found = verdicts(name, seed=seed)
    assert_right(found)
    assert found["trace"].notes == ("--auto-cast none",)
    assert found["shapes"].headline == "raises at every other size"
    axes = 3 if "decoder" in name else 2
    assert len([note for note in found["shapes"].notes if note.endswith(" raises")]) == axes


@one_in(3, "seed", SEEDS, str)
def test_bert_passes_where_products_are_computed_in_bf16(seed: int) -> None:
    found = with_args("bert", BF16, seed)
    assert_right(found)
    assert found["trace"].notes == ("--auto-cast matmult bf16",)
    assert found["shapes"].headline == "raises at every other size"
    worst = found["parity"].worst
    assert worst is not None
    assert 1e-4 < worst.difference < worst.allowed


@pytest.mark.one_in(3)
@pytest.mark.parametrize("name", MODELS)
def test_each_runs_the_same_in_a_process_with_the_operators_alone(name: str) -> None:
    found = verdicts(name, seed=0, checks="round_trip")["round_trip"]
    assert (found.outcome, found.headline) == (
        Outcome.PASSED,
        "runs with torch and the operators of neuron_sim, bit for bit the same",
    )


@pytest.mark.one_in(3)
@one_in(3, "seed", SEEDS, str)
@pytest.mark.parametrize("name", MODELS)
def test_a_batch_that_callers_vary_is_kept(name: str, seed: int) -> None:
    found = verdicts(name, seed=seed, shapes={"batch": "dynamic"})
    assert_right(found)
    assert found["shapes"].headline == "keeps the contract at every other size"
    assert not [note for note in found["shapes"].notes if note.startswith("batch")]
    assert [note for note in found["shapes"].notes if "sequence" in note and note.endswith(" raises")]


@pytest.mark.parametrize("name", MODELS)
def test_any_batch_equals_eager_row_by_row(name: str) -> None:
    model, inputs = MODELS[name]()
    keywords = {"shapes": {"batch": "dynamic"}, **({"inputs": inputs} if inputs else {})}
    made = export(model, from_keywords(keywords), name=name, backend="neuron-sim")
    try:
        assert made.subject.sizes["batch"] == BATCH
        for rows in range(1, 3 * BATCH + 1):
            given = repeated(made.subject.inputs, rows)
            assert torch.allclose(answered(made, given), by_row(model.eval(), made, given), atol=1e-5)
    finally:
        made.close()


def repeated(inputs: Inputs, rows: int) -> dict[str, torch.Tensor]:
    """So many rows, each another."""
    return {
        name: torch.cat([tensor.roll(row, -1)[row % len(tensor)][None] for row in range(rows)])
        for name, tensor in inputs.items()
    }


def answered(made: Export, given: Inputs) -> torch.Tensor:
    first: torch.Tensor = made.module(**given)[0]
    return first


def by_row(model: nn.Module, made: Export, given: Inputs) -> torch.Tensor:
    """What eager answers to each row alone."""
    rows = range(len(next(iter(given.values()))))
    with torch.no_grad():
        each = [
            model(**{name: tensor[row : row + 1] for name, tensor in given.items()}, **made.subject.constants)
            for row in rows
        ]
    return torch.cat([one if isinstance(one, torch.Tensor) else one[0] for one in each])
