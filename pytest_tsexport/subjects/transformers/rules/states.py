"""facts -> states: what one module passes to the next, where a model takes the second part of a way."""

from __future__ import annotations

from pytest_tsexport.subjects.domains.base import Domain
from pytest_tsexport.subjects.domains.floats import Floats
from pytest_tsexport.subjects.transformers.facts import Facts
from pytest_tsexport.subjects.transformers.layouts import InputRule, Layout, Setting, floating, when_named
from pytest_tsexport.subjects.transformers.rules.text import DECODER_TEXT, TEXT, mask

WIDTH = Setting(("hidden_size", "d_model"))
"""How wide the states are."""

STATES = ("batch", "choices", "encoder_sequence")


def states(facts: Facts) -> Domain:
    """States of about the size 1."""
    return Floats(dtype=floating(facts))


def _of_layers(facts: Facts) -> int | None:
    """The states of several layers, side by side."""
    layers, width = facts.setting("target_layer_ids"), WIDTH(facts)
    return len(layers) * width if isinstance(layers, (list, tuple)) and width is not None else None


def _action_width(facts: Facts) -> int | None:
    """The width of the part that moves something."""
    width = getattr(facts.setting("dit_config"), "hidden_size", None)
    return width if isinstance(width, int) else None


LATENTS = (Layout(("batch", WIDTH, "steps"), states), Layout(("batch", "steps", WIDTH), states))

SIGNAL = Layout(("batch", Setting(("channels",)), "samples"), states)
"""What the first of several stages takes: raw samples."""

RULES: tuple[InputRule, ...] = (
    InputRule("encoder_hidden_states", (Layout((*STATES, WIDTH), states),), when_named),
    InputRule("encoder_attention_mask", (Layout(STATES, mask),), when_named),
    InputRule("inputs_embeds", (Layout((*TEXT, WIDTH), states),), when_named),
    InputRule("query_embeds", (Layout((*TEXT, WIDTH), states),)),
    InputRule("inputs", (Layout((*TEXT, WIDTH), states),), when_named),
    InputRule("noise_embeds", (Layout((*DECODER_TEXT, WIDTH), states),)),
    InputRule("context_hidden_states", (Layout((*STATES, _of_layers), states),)),
    InputRule("action_embeds", (Layout(("batch", "steps", _action_width), states),)),
    InputRule("latents", LATENTS),
)
"""Arguments that hold states of another module."""
