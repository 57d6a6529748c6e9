"""names -> subjects: families of Transformers as they are met, tiny and random, with the checks that must catch them.

The names are here, and in no rule of the package: what is caught is caught by how it behaves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
import transformers

from pytest_tsexport.testing import judge
from pytest_tsexport.verdict import Outcome, Verdict
from tests.subjects.families import build, families

CHECKS = ("trace", "tied_weights", "parity", "shapes", "padding")

Inputs = Mapping[str, torch.Tensor]


@dataclass(frozen=True, slots=True)
class Wild:
    """A family under its usual head, the checks that must fail, and those that may for the same reason."""

    family: str
    fails: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    name: str = ""
    inputs: Callable[[], Inputs] | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The family, and how it is traced where that is the point."""
        return self.name or self.family

    def model(self, dtype: torch.dtype = torch.float32) -> Any:
        """A new model in a dtype."""
        return build(self.family, **self.settings).to(dtype)


def verdicts(one: Wild, *, seed: int, dtype: torch.dtype = torch.float32, **keywords: Any) -> dict[str, Verdict]:
    """What the checks say about it, traced at its own size."""
    inputs = None if one.inputs is None else one.inputs()
    return judge(one.model(dtype), inputs, seed=seed, **{"checks": CHECKS, **keywords})


def failed(found: Mapping[str, Verdict]) -> set[str]:
    """The names of the checks that failed."""
    return {name for name, verdict in found.items() if verdict.outcome is Outcome.FAILED}


def _ids(*shape: int) -> torch.Tensor:
    return torch.randint(3, 90, shape, generator=torch.Generator().manual_seed(11))


def _one_step() -> Inputs:
    source = {"input_ids": _ids(2, 7), "attention_mask": torch.ones(2, 7, dtype=torch.int64)}
    return {**source, "decoder_input_ids": _ids(2, 1)}


def _one_token() -> Inputs:
    return {"input_ids": _ids(2, 1)}


_WRONG = (
    Wild("longformer", ("shapes",)),
    Wild("funnel", ("shapes",)),
    Wild("rwkv", ("shapes",)),
    Wild("led", ("shapes",)),
    Wild("llama_dynamic_rope", ("shapes",)),
    Wild("t5", ("shapes",), name="t5_at_decoder_length_1", inputs=_one_step),
    Wild("clip_text", ("shapes",), name="clip_text_at_length_1", inputs=_one_token),
    Wild("big_bird", ("shapes",), name="big_bird_of_many_blocks"),
    Wild("switch_transformers", ("parity",), also=("shapes", "padding")),
)

_RIGHT = (
    *("bert", "roberta", "distilbert", "albert", "electra", "mobilebert", "modernbert", "deberta_v2", "mpnet"),
    *("xlnet", "gpt2", "gpt_neox", "llama", "mistral", "qwen2", "opt", "falcon", "mamba"),
    *("t5", "bart", "marian"),
)


OLD = int(transformers.__version__.split(".")[0]) < 5

_NOT_ON_4 = {
    **dict.fromkeys(("gpt2", "gpt_neox", "llama", "llama_dynamic_rope", "mistral", "qwen2"), "cannot be traced"),
    "t5_at_decoder_length_1": "is right",
}
"""What differs with Transformers 4.57: it makes masks by vmap, which a trace cannot follow."""


def wrong() -> tuple[Wild, ...]:
    """Silently wrong ones that this version of Transformers has."""
    return tuple(one for one in _WRONG if _is_here(one))


def right() -> tuple[Wild, ...]:
    """Right ones that this version of Transformers has."""
    named = (*(Wild(name) for name in _RIGHT), Wild("big_bird", settings={"block_size": 16}))
    return tuple(one for one in named if _is_here(one))


def _is_here(one: Wild) -> bool:
    return one.family in families() and not (OLD and one.title in _NOT_ON_4)
