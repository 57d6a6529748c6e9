"""Windows that hold a whole number of something: of merged patches, of frames that become one, of convolved chunks."""

from __future__ import annotations

from pytest_tsexport.suite.tiny.part import Changes, Part

_LARGEST = 8


def windows(part: Part) -> Changes:
    """The windows of which the limit for all windows would make something that the model does not take."""
    window, merge, rate = (part.values.get(name) for name in ("window_size", "spatial_merge_size", "downsample_rate"))
    changes: Changes = {}
    if type(window) is int and type(merge) is int and type(part.get("patch_size")) is int:
        # A window of pixels, which holds some features of merged patches.
        changes["window_size"] = min(window, 2 * merge * part.get("patch_size"))
    elif type(window) is int and type(rate) is int and window % rate == 0:
        changes["window_size"] = min(window, max(_LARGEST // rate, 2) * rate)
    if "n_window" in part.values and "n_window_infer" in part.values:
        # How many features a chunk has after the convolutions is a number in the code of the model.
        changes["n_window"] = part.values["n_window"]
        changes["n_window_infer"] = 2 * part.values["n_window"]
    return changes
