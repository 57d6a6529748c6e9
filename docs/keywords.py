"""keyword -> its meaning and its default, in words: the source of the marker's reference page."""

from __future__ import annotations

from collections.abc import Mapping

KEYWORD_TEXTS: Mapping[str, tuple[str, str]] = {
    "inputs": (
        "example inputs, `{argument name: tensor}`; their sizes are the traced size",
        "derived from the model's signature and config",
    ),
    "dynamic_shapes": (
        'the dimensions that callers vary, in the form of `torch.export`: `{name: {0: "batch", 1: "sequence"}}`; '
        "a value is a name or a plain `torch.export.Dim`, whose `min` and `max` bound the search",
        "derived from the model",
    ),
    "shapes": (
        '[the contract](#the-contract): `"dynamic"`, `"safe"` or `"fixed"`, or one for each axis: '
        '`{"batch": "dynamic", "sequence": "fixed"}`',
        "see below",
    ),
    "export": (
        "your own exporter, `(model, inputs, path) -> None`; the file that it leaves at `path` is what is judged",
        "`torch.jit.trace` of the backend",
    ),
    "artifact": ("a file that was exported earlier; it is judged, and nothing is traced", "none"),
    "reference": (
        "the model to be faithful to, where it is not the one that is exported (float32 for an int8 file)",
        "the model",
    ),
    "examples": (
        "real inputs that always run first and are never shrunk: a list of `{argument name: tensor}` or of "
        "safetensors files; outputs stored with them, under their own names, are to be met",
        "none",
    ),
    "strategies": (
        "`{argument name: strategy}`: a function of the shape that returns a hypothesis strategy of a tensor of it; "
        "the strategy itself where no dimension of the input varies",
        "derived from dtype, config and example",
    ),
    "guard": (
        "export behind a check of sizes and dtypes: any other raises one sentence before anything is computed",
        "`False`",
    ),
    "rtol": (
        "relative tolerance, one number or one for each output name; always given with `atol`",
        "[by the spread of each output](../explanation/tolerances.md)",
    ),
    "atol": ("absolute tolerance, likewise", "as `rtol`"),
    "metric": (
        "what is compared, one word or one for each output name: `close` (every value), `argmax` (which is largest "
        "along the last dimension) or `cosine` (the direction along it)",
        "`close`",
    ),
    "xfail": (
        '`{"shapes": "reason"}`: that check of this test is a strict xfail',
        "none",
    ),
    "backends": ("names of the backends to export with", '`["jit"]`'),
    "checks": (
        "names of the checks to run; `-name` leaves one out",
        "all, `interface` where there is [a baseline](../how-to/baseline.md)",
    ),
    "max_examples": ("cases for each check, 1 or more", "that of the hypothesis profile: 100"),
    "budget": ("seconds that the search for one subject may take", "60"),
    "neuron_args": (
        "arguments of the Neuron compiler, as one text or a list: `--auto-cast matmult --auto-cast-type bf16`",
        "none: the compiler's own defaults",
    ),
}
