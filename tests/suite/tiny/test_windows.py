"""Proves that a window holds a whole number of what it is made of when a config was made small."""

from __future__ import annotations

from typing import Any

import pytest

from tests.suite.tiny.test_shrink import shrunk


@pytest.mark.parametrize(
    ("large", "small"),
    [
        (
            {"window_size": 112, "spatial_merge_size": 2, "patch_size": 14},
            {"window_size": 56, "spatial_merge_size": 2, "patch_size": 14},
        ),
        ({"window_size": 15, "downsample_rate": 5}, {"window_size": 10, "downsample_rate": 5}),
        ({"window_size": 15}, {"window_size": 8}),
        ({"n_window": 50, "n_window_infer": 800}, {"n_window": 50, "n_window_infer": 100}),
        ({"n_window": 100}, {"n_window": 4}),
    ],
    ids=" ".join,
)
def test_windows_hold_whole_parts(large: dict[str, Any], small: dict[str, Any]) -> None:
    assert shrunk(**large) == small
