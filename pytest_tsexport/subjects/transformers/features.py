"""description, counts -> description: text with as many placeholder tokens as pictures and recordings have features.

A model puts the features of its pictures where the text has a placeholder, and refuses another number of them. So the
length of the text follows from the sizes of the pictures: `sequence` is the axis `text`, which is free, and beside it
the placeholders of one row.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from math import isqrt, prod

import torch

from pytest_tsexport.subjects.domains.integers import Ids
from pytest_tsexport.subjects.domains.masks import Mask
from pytest_tsexport.subjects.domains.placeholders import KindsAround, MaskAround, Places, Run, TextAround
from pytest_tsexport.subjects.fields import Axis, Description, Field, Rule
from pytest_tsexport.subjects.transformers.facts import Facts, Side

TEXT_SIZE = 5
"""How many tokens of text stand around the placeholders at the traced size."""

Counts = Mapping[str, Rule]
"""Of each medium, how many placeholders a row has."""


@dataclass(frozen=True, slots=True)
class Medium:
    """A kind of input whose features go into the text. `kind` is the number that marks its tokens."""

    name: str
    arguments: tuple[str, ...]
    ids: tuple[str, ...]
    kind: int
    side: Side
    counts: tuple[str, ...] = ()


MEDIA = (
    Medium(
        "image",
        ("pixel_values", "image_pixel_values"),
        ("image_token_id", "image_token_index", "image_patch_id", "media_placeholder_token_id", "im_patch_id"),
        1,
        "vision",
        ("image_seq_length", "mm_tokens_per_image", "num_image_tokens", "vision_soft_tokens_per_image"),
    ),
    Medium("video", ("pixel_values_videos",), ("video_token_id", "video_token_index"), 2, "vision"),
    Medium("audio", ("input_features", "input_values"), ("audio_token_id", "audio_token_index"), 3, "audio"),
)

_COUNTED = re.compile(r"(image|video|audio|multimodal|placeholder)\b.*\bfeatures[:,\s]{0,4}(\d+)", re.IGNORECASE)
_STARTS = ("vision_start_token_id", "audio_start_token_id")
GRID = ("grid_height", "grid_width")
AREA = ("height", "width")
_KINDS = ("mm_token_type_ids", "token_type_ids")


def media_of(facts: Facts, description: Description) -> tuple[Medium, ...]:
    """The media among the inputs that have a placeholder id."""
    names = {one.name for one in description.fields}
    found = [one for one in MEDIA if names & set(one.arguments) and token_of(facts, one) is not None]
    return tuple(found) if "input_ids" in names else ()


def token_of(facts: Facts, medium: Medium) -> int | None:
    """The id of the placeholder, in the config or in a part of it."""
    named = facts.setting("vocabulary_map")
    if isinstance(named, dict) and f"<{medium.name}>" in named:
        return int(named[f"<{medium.name}>"])
    tokens = (facts.setting(*medium.ids, side=side) for side in ("input", medium.side))
    return next((token for token in tokens if isinstance(token, int)), None)


def counted(why: str, media: tuple[Medium, ...]) -> tuple[Medium, int] | None:
    """The medium whose features eager has counted, and how many there are: `tokens: 0, features: 32`."""
    found = _COUNTED.search(why)
    if found is None or not media:
        return None
    named = next((one for one in media if one.name == found[1].lower()), media[0])
    return named, int(found[2])


def guesses(facts: Facts, description: Description, medium: Medium, features: int) -> Iterator[Rule]:
    """How many placeholders each row may need, the likeliest first; `features` is the number in eager's message."""
    sizes = description.sizes
    rows = sizes.get("batch", 1)
    numbers = [features // rows] if features % rows == 0 and features > rows else []
    patches = _patches(facts, sizes, medium)
    frames = sizes.get("frames", 0) if medium.side == "audio" else 0
    numbers += [frames // part for part in (4, 2, 8) if frames and frames % part == 0]
    numbers += [patches // part for part in (1, 4, 9, 16) if patches and patches % part == 0]
    numbers += [one for name in medium.counts if isinstance(one := facts.setting(name, side=medium.side), int)]
    numbers += [patches + 1] if patches else []
    numbers += [features // rows] if features % rows == 0 else [features]
    for number in dict.fromkeys(one for one in numbers if one > 0):
        yield Rule(terms=(), offset=number)


def _patches(facts: Facts, sizes: Mapping[str, int], medium: Medium) -> int:
    if medium.side != "vision":
        return 0
    if "grid_height" in sizes:
        return sizes["grid_height"] * sizes["grid_width"]
    patch = facts.setting("patch_size", side="vision")
    patch = patch[-1] if isinstance(patch, (list, tuple)) else patch
    if not isinstance(patch, int) or "height" not in sizes or "width" not in sizes:
        return 0
    return (sizes["height"] // patch) * (sizes["width"] // patch)


def followed(description: Description, medium: Medium, count: int) -> Iterator[tuple[Rule, Mapping[str, int]]]:
    """Rules by which so many placeholders may follow from sizes, each with the steps of its axes; most axes first."""
    sizes = description.sizes
    names = _axes_of(description, medium)
    many = tuple(name for name in ("images", "video_frames") if name in names)
    sides = sides_of(description, medium)
    grid = sides if sides == GRID else ()
    area = () if grid else sides
    for factors in dict.fromkeys([(*many, *grid), (*many, *area), many, area]):
        if not factors:
            continue
        share = Fraction(count, prod(sizes[name] for name in factors))
        inside = [name for name in factors if name in area]
        side = isqrt(share.denominator) if len(inside) == 2 else share.denominator
        # A feature is made of a square of pixels, or of so many frames.
        if not inside or (share.numerator == 1 and side ** len(inside) == share.denominator):
            yield Rule(terms=((share, factors),)), dict.fromkeys(inside, side)


def sides_of(description: Description, medium: Medium) -> tuple[str, ...]:
    """The axes of one picture, in patches or in pixels, or the axis of one recording."""
    names = _axes_of(description, medium)
    if "patches" in names and "grid_height" in description.sizes:
        return GRID
    if names.issuperset(AREA):
        return AREA
    return next(((name,) for name in ("frames", "patches") if name in names and name in description.unsure), ())


def _axes_of(description: Description, medium: Medium) -> set[str | int]:
    dims = {dim for one in description.fields if one.name in medium.arguments for dim in one.dims}
    rules = (axis.rule for axis in description.axes if axis.name in dims and axis.rule is not None)
    return dims | {name for rule in rules for _, names in rule.terms for name in names}


def with_placeholders(facts: Facts, description: Description, counts: Counts) -> Description:
    """The description with these placeholders in its text, and with a mask and kinds of tokens that agree with them."""
    media = [one for one in media_of(facts, description) if one.name in counts]
    runs = tuple(Run(token_of(facts, one) or 0, one.kind, counts[one.name]) for one in media)
    places = Places(runs)
    never = tuple(one for one in map(facts.setting, _STARTS) if isinstance(one, int))
    fields = tuple(_around(one, places, never) for one in description.fields)
    terms = tuple(term for run in runs for term in run.count.terms)
    rule = Rule(terms=((Fraction(1), ("text",)), *terms), offset=sum(run.count.offset for run in runs))
    axes = [one for one in description.axes if one.name not in ("text", "sequence")]
    sizes = {one.name: one.size for one in axes} | {"text": TEXT_SIZE}
    sequence = next(one for one in description.axes if one.name == "sequence")
    taken = rule.size(sizes)
    high = None if sequence.high is None else max(sequence.high - taken + TEXT_SIZE, 1)
    text = Axis(name="text", size=TEXT_SIZE if high is None else min(TEXT_SIZE, high), high=high)
    taken = rule.size(sizes | {"text": text.size})
    axes = [*axes, text, Axis(name="sequence", size=taken, high=sequence.high, edges=sequence.edges, rule=rule)]
    unsure = {
        name: steps for name, steps in description.unsure.items() if name not in {n for _, ns in terms for n in ns}
    }
    return replace(description, fields=fields, axes=tuple(axes), unsure=unsure)


def _around(field: Field, places: Places, never: tuple[int, ...]) -> Field:
    domain = field.domain
    if field.dims[-1:] != ("sequence",):
        return field
    if field.name in _KINDS:
        return replace(field, domain=KindsAround(dtype=torch.int64, high=4, places=places))
    if isinstance(domain, Ids):
        return replace(field, domain=TextAround.of(domain, places, never))
    if isinstance(domain, Mask):
        return replace(field, domain=MaskAround(dtype=domain.dtype, padding=domain.padding, places=places))
    return field
