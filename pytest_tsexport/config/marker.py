"""The marker's keywords: one row for each, with what it means, its default in words, and what is valid.

A row is a field of `Meaning`, which only the marker can give. A keyword that an option can override (how hard to look,
and where) has its row in `options`. Every pytest run loads this module.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from pytest_tsexport.config.options import OPTIONS, Option, rows_of, set_by

if TYPE_CHECKING:
    import os

NAME = "torchscript"


class Keyword(NamedTuple):
    """A keyword of the marker: its meaning and default in Markdown, and the function of `validators` that it needs."""

    text: str
    default: str
    valid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What a test means, as its markers say. None means "derive it from the model"."""

    inputs: Mapping[str, Any] | None = set_by(
        Keyword(
            "example inputs, `{argument name: tensor}`; their sizes are the traced size. A dict, a list or a (named) "
            "tuple of tensors is passed as it is given; a number is passed too and does not vary",
            default="derived from the model's signature and config",
            valid="mapping",
        )
    )
    dynamic_shapes: Mapping[str, Any] | None = set_by(
        Keyword(
            "the dimensions that callers vary, in the form of `torch.export`: "
            '`{name: {0: "batch", 1: "sequence"}}`; a value is a name or a plain `torch.export.Dim`, whose `min` and '
            "`max` bound the search",
            default="derived from the model",
            valid="mapping",
        )
    )
    shapes: str | Mapping[str, str] | None = set_by(
        Keyword(
            '[the contract](#the-contract): `"dynamic"`, `"safe"` or `"fixed"`, or one for each axis: '
            '`{"batch": "dynamic", "sequence": "fixed"}`',
            default="see below",
            valid="contracts",
        )
    )
    export: Callable[..., None] | None = set_by(
        Keyword(
            "your own exporter, `(model, inputs, path) -> None`; the file that it writes to `path` is judged",
            default="`torch.jit.trace` of the backend",
            valid="exporter",
        )
    )
    artifact: str | os.PathLike[str] | None = set_by(
        Keyword(
            "a file that was exported earlier; it is judged, and nothing is traced",
            default="none",
            valid="artifact",
        )
    )
    reference: Any = set_by(
        Keyword(
            "the model that the export must equal, if it is not the exported one (float32 for an int8 file)",
            default="the model",
            valid="anything",
        )
    )
    examples: Sequence[Any] = set_by(
        Keyword(
            "real inputs that always run first and are never shrunk: a list of `{argument name: tensor}` or of "
            "safetensors files; outputs stored with them, under their own names, are expected outputs",
            default="none",
            valid="sequence",
        ),
        empty=tuple,
    )
    strategies: Mapping[str, Any] = set_by(
        Keyword(
            "`{argument name: strategy}`: a function of the shape that returns a hypothesis strategy for a tensor of "
            "that shape; or the strategy itself, if no dimension of the input varies. A function with a second "
            "argument is [given the case](#values-that-depend-on-a-size) too",
            default="derived from dtype, config and example",
            valid="mapping",
        ),
        empty=dict,
    )
    guard: bool = set_by(
        Keyword(
            "export behind a check of sizes and dtypes: any other input raises one sentence before anything is "
            "computed",
            default="`False`",
            valid="switch",
        ),
        empty=bool,
    )
    rtol: float | Mapping[str, float] | None = set_by(
        Keyword(
            "relative tolerance, one number or one for each output name; always given with `atol`",
            default="[by the spread of each output](../explanation/tolerances.md)",
            valid="tolerance",
        )
    )
    atol: float | Mapping[str, float] | None = set_by(
        Keyword("absolute tolerance, likewise", default="as `rtol`", valid="tolerance")
    )
    metric: str | Mapping[str, str] | None = set_by(
        Keyword(
            "what is compared, one word or one for each output name: `close` (every value), `argmax` (the index of the "
            "largest value along the last dimension) or `cosine` (the direction along it)",
            default="`close`",
            valid="metric",
        )
    )
    xfail: Mapping[str, str] = set_by(
        Keyword('`{"shapes": "reason"}`: that check of this test is a strict xfail', default="none", valid="reasons"),
        empty=dict,
    )

    def contract_of(self, axis: str, *, named: bool, default: str) -> str:
        """The contract of an axis: what `shapes=` says; `fixed` behind a guard; `dynamic` if `named`; else `default`.

        `named` says that the user declared the axis in `dynamic_shapes`.
        """
        if isinstance(self.shapes, str):
            return self.shapes
        if self.shapes is not None and axis in self.shapes:
            return self.shapes[axis]
        if self.guard:
            return "fixed"
        return "dynamic" if named else default


MEANING: Mapping[str, Keyword] = rows_of(Meaning)
"""The keywords that no option can override."""

OVERRIDABLE: Mapping[str, Option] = {name: option for name, option in OPTIONS.items() if option.is_keyword}
"""The keywords that are options too, so that the command line can override them."""

KEYWORDS: Mapping[str, Keyword | Option] = {**MEANING, **OVERRIDABLE}
"""Every keyword of the marker, with its row."""

MARKER = f"{NAME}(*, {', '.join(KEYWORDS)}): returns a model; each check of its TorchScript export is a test"
"""The line that `pytest --markers` shows."""
