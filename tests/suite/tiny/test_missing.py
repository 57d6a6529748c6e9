"""Proves that a config is given what an error says that it lacks, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest

from pytest_tsexport.suite.tiny.missing import default_config, filled_in

WITHOUT = "unsupported operand type(s) for //: 'int' and 'NoneType'"


def config(**attributes: Any) -> SimpleNamespace:
    return SimpleNamespace(hidden_size=64, num_attention_heads=4, num_hidden_layers=2, **attributes)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("head_dim", 16),
        ("num_key_value_heads", 4),
        ("layer_types", ["full_attention"] * 2),
        ("prediction_length", 4),
    ],
)
def test_none_is_replaced_where_a_model_reads_it(name: str, value: object) -> None:
    one = config(**{name: None})
    assert filled_in(one, TypeError(WITHOUT))
    assert getattr(one, name) == value
    assert not filled_in(one, TypeError(WITHOUT))


def test_a_window_is_given_where_layers_that_look_at_one_have_heads_of_their_own() -> None:
    one = config(sliding_window=None, num_sliding_attention_heads=None)
    assert filled_in(one, ValueError("Could not find a `sliding_window` argument"))
    assert one.sliding_window == 8
    without = config(sliding_window=None)
    assert not filled_in(without, ValueError("Could not find a `sliding_window` argument"))
    assert without.sliding_window is None


def test_sections_of_positions_are_given_to_a_class_that_knows_them() -> None:
    class Sectioned:
        def __init__(self) -> None:
            self.head_dim, self.rope_scaling = 16, None
            self.ignored = {"mrope_section"}

    one, plain = Sectioned(), SimpleNamespace(head_dim=16, rope_scaling=None)
    assert filled_in(one, TypeError(WITHOUT))
    assert vars(one)["rope_scaling"] == {"rope_type": "default", "type": "default", "mrope_section": [2, 3, 3]}
    assert not filled_in(plain, TypeError(WITHOUT))


def test_an_attribute_that_the_class_lacks_is_added_to_that_class() -> None:
    one = config()
    assert filled_in(one, AttributeError("'SimpleNamespace' object has no attribute 'rope_theta'"))
    assert one.rope_theta == 10_000.0


@pytest.mark.parametrize(
    "text", ["'OtherConfig' object has no attribute 'rope_theta'", "'SimpleNamespace' object has no attribute 'colour'"]
)
def test_nothing_is_made_up(text: str) -> None:
    before = dict(vars(one := config()))
    assert not filled_in(one, AttributeError(text))
    assert vars(one) == before


def test_rotary_settings_are_given_for_each_kind_of_layer() -> None:
    one = config(layer_types=["full_attention", "sliding_attention"], rope_parameters={})
    assert filled_in(one, KeyError("full_attention"))
    assert one.rope_parameters["sliding_attention"] == {"rope_type": "default", "rope_theta": 10_000.0}
    assert not filled_in(one, KeyError("another"))


def test_what_the_default_config_leaves_empty_is_filled() -> None:
    @dataclass
    class Empty:
        projector_scale_factors: tuple[float, ...] = ()
        others: tuple[int, ...] = ()

    assert default_config(Empty) == Empty(projector_scale_factors=(1.0,))


def test_a_tower_that_the_default_config_leaves_out_is_put_in() -> None:
    @dataclass
    class Text:
        sub_configs: ClassVar[dict[str, type]] = {"vision_config": dict, "text_config": dict}
        vision_config: dict[str, Any] | None = None
        audio_config: dict[str, Any] | None = None
        text_config: dict[str, Any] | None = None

    assert default_config(Text) == Text(vision_config={})
