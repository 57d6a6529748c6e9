"""facts -> pictures and clips: pixels as an image processor gives them, and what detectors and page readers take."""

from __future__ import annotations

from torch import nn

from pytest_tsexport.subjects.domains.base import Domain
from pytest_tsexport.subjects.domains.floats import Floats
from pytest_tsexport.subjects.transformers.facts import Facts
from pytest_tsexport.subjects.transformers.layouts import (
    InputRule,
    Layout,
    Number,
    Setting,
    floating,
)
from pytest_tsexport.subjects.transformers.rules.patches import LOOSE, PATCHES
from pytest_tsexport.subjects.transformers.rules.tiles import has_pinpoints, tiles

DEFAULT_STRIDE = 32
"""How many pixels of each side become one feature, if no config says it: so it is in most convolutional networks."""


def pixels(facts: Facts) -> Domain:
    """Normalised pixels, about N(0, 1)."""
    return Floats(dtype=floating(facts))


def channels(facts: Facts) -> int | None:
    """How many colours a picture has: what the config says, or what the first convolution takes."""
    named = facts.setting("num_channels", "in_channels", "in_chans", "input_channels", side="vision")
    if isinstance(named, int):
        return named
    layers = (m for t in facts.towers for m in t.modules() if isinstance(m, (nn.Conv2d, nn.Conv3d)))
    return next((layer.in_channels for layer in layers), 3)


def patch(facts: Facts) -> int | None:
    """The side of a patch; of one that is no square, the longer side."""
    size = facts.setting("patch_size", "spatial_patch_size", side="vision")
    sides = size if isinstance(size, (list, tuple)) else (size,)
    numbers = [one for one in sides if isinstance(one, int)]
    return max(numbers, default=None)


def stride(facts: Facts) -> int:
    """How many pixels of each side become one feature at the end: a patch, which each further stage doubles."""
    side = patch(facts)
    if side is None:
        return DEFAULT_STRIDE
    stages = facts.setting("depths", "hidden_sizes", "embed_dims", side="vision")
    doubled = min(len(stages), 4) - 1 if isinstance(stages, (list, tuple)) and side < 8 else 0
    return int(side * 2 ** max(doubled, 0))


def side(place: int) -> Number:
    """The side of a picture, its height (0) or its width (1): by the image processor, or else by the config."""

    def read(facts: Facts) -> int | None:
        if facts.prepared.sides is not None:
            return facts.prepared.sides[place]
        size = facts.setting("image_size", "img_size", "input_size", "crop_size", "max_img_size", side="vision")
        if isinstance(size, dict):
            size = [size.get("height"), size.get("width")]
        if isinstance(size, (list, tuple)):
            size = size[place] if len(size) == 2 else size[0] if size else None
        return size if isinstance(size, int) else None

    return read


def strides(times: int) -> Number:
    """So many strides of the model."""
    return lambda facts: times * stride(facts)


def _steps(facts: Facts) -> tuple[int, ...]:
    """A side may vary by pixels, patches, strides, or by windows of them."""
    side, whole = patch(facts) or 1, stride(facts)
    return tuple(dict.fromkeys((1, side, 2 * side, whole, 2 * whole, 4 * whole)))


STEPS = {"height": _steps, "width": _steps}
"""By which steps the sides of a picture may vary."""

FRAMES = Setting(("num_frames", "frames_per_clip", "num_video_frames"), "vision")

SMALL = {"height": strides(2), "width": strides(3)}
"""A small picture whose sides differ, for models that take any."""

OF_CONFIG = {"height": side(0), "width": side(1)}
"""The picture that the config was made for."""

LARGER = {"height": strides(8), "width": strides(8)}
"""A larger square, for models that look at it in windows."""

PICTURE = ("batch", channels, "height", "width")
CLIP = ("batch", "video_frames", channels, "height", "width")
IMAGES = ("batch", "images", channels, "height", "width")
PAIR = ("batch", 2, channels, "height", "width")
TILED = ("batch", "images", Setting(("max_num_tiles",), "vision"), channels, "height", "width")
"""Each picture is cut into so many tiles."""

PICTURES = (
    Layout(PICTURE, pixels, OF_CONFIG, fits=lambda facts: facts.prepared.sides is not None),
    *(Layout(PICTURE, pixels, sizes) for sizes in (SMALL, OF_CONFIG, LARGER)),
)
CLIPS = tuple(Layout(CLIP, pixels, {**sizes, "video_frames": FRAMES}) for sizes in (SMALL, OF_CONFIG))
"""Clips of as many frames as the config says; without that there is no such layout."""

ANY_CLIPS = (*CLIPS, *(Layout(CLIP, pixels, sizes) for sizes in (SMALL, OF_CONFIG)))
CUT = (
    Layout(TILED, pixels, OF_CONFIG, fits=lambda facts: "aspect_ratio_ids" in facts.arguments),
    Layout(("batch", tiles, channels, "height", "width"), pixels, OF_CONFIG, fits=has_pinpoints),
)
"""Pictures in tiles of the size that the config says."""

SEVERAL = tuple(Layout(dims, pixels, sizes) for dims in (PAIR, IMAGES) for sizes in (SMALL, OF_CONFIG))


def _alone(facts: Facts) -> bool:
    # A model that reads pictures and clips is asked with pictures.
    return "pixel_values" not in facts.arguments


def _region_width(facts: Facts) -> int | None:
    size = facts.setting("visual_feat_dim", "visual_embedding_dim")
    return size if isinstance(size, int) else None


def _fine_side(facts: Facts) -> int | None:
    """The side of the same picture in more detail, which a second tower reads."""
    size = getattr(facts.setting("high_res_vision_config"), "image_size", None)
    return size if isinstance(size, int) else None


def _mask_ratio(facts: Facts) -> bool:
    """Whether the model leaves out patches, by the smallest numbers of its noise."""
    return facts.setting("mask_ratio") is not None and facts.is_head("MAEModel", "ForPreTraining")


def _patches(facts: Facts) -> int | None:
    """The patches of the picture that the config was made for."""
    sides, part = (side(0)(facts), side(1)(facts)), patch(facts)
    return None if part is None or None in sides else (sides[0] or 0) // part * ((sides[1] or 0) // part)


def _parts(facts: Facts) -> Domain:
    """Corners as parts of the picture's sides."""
    return Floats(dtype=floating(facts), scale=0.3)


RULES: tuple[InputRule, ...] = (
    InputRule("pixel_values", (*PATCHES, *CUT, *CLIPS, *PICTURES, *SEVERAL, *LOOSE)),
    InputRule("pixel_values_videos", ANY_CLIPS, _alone),
    InputRule("image", PICTURES),
    InputRule("high_res_pixel_values", (Layout(("batch", channels, _fine_side, _fine_side), pixels),)),
    InputRule("noise", (Layout(("batch", _patches), pixels),), _mask_ratio),
    InputRule("prompt_pixel_values", PICTURES),
    InputRule("prompt_masks", PICTURES),
    InputRule("visual_feats", (Layout(("batch", "boxes", _region_width), pixels),)),
    InputRule("visual_pos", (Layout(("batch", "boxes", 4), _parts),)),
    InputRule("visual_embeds", (Layout(("batch", "boxes", _region_width), pixels),)),
)
"""Arguments that hold pictures, or features of their regions."""
