"""model -> facts: its signature, its configs and the texts in its heads, for the table of input rules to ask.

Transformers is looked up among the modules that are loaded already: without it there can be no model of it, and a user
of another library does not pay for it.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Literal

import torch
from torch import nn

from pytest_tsexport.errors import InputsError
from pytest_tsexport.subjects.transformers.prepared import Prepared, prepared
from pytest_tsexport.tensors.tree import CPU

Side = Literal["input", "decoder", "vision", "audio"]

# Where composite configs keep the part that reads text, pictures or sound. They are tried in this order, and their own
# parts after them.
_PARTS: dict[Side, tuple[str, ...]] = {
    "input": ("text_encoder", "encoder", "text_config"),
    "decoder": ("decoder", "decoder_config", "generator", "text_config"),
    "vision": ("vision_config", "video_config", "image_config", "encoder_config", "encoder", "backbone_config"),
    "audio": ("audio_config", "audio_encoder", "encoder_config", "encoder"),
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What a model says about its inputs. `towers` are the outermost Transformers models in it.

    `parameters` are the arguments that `forward` names; a wrapper that passes its arguments on (PEFT, DataParallel,
    torch.compile) has those of the model it wraps. `passes_on` says that they belong to a Transformers model, which
    passes arguments that it does not name to the modules inside. `prepared` is what the folder of the first tower says.
    """

    model: nn.Module
    towers: tuple[nn.Module, ...]
    parameters: tuple[inspect.Parameter, ...]
    passes_on: bool = False
    prepared: Prepared = field(default_factory=Prepared)

    @property
    def name(self) -> str:
        """The class of the model, for messages."""
        return type(self.model).__name__

    @property
    def configs(self) -> tuple[Any, ...]:
        """The config of each tower."""
        return tuple(tower.config for tower in self.towers)

    @property
    def main_inputs(self) -> tuple[str, ...]:
        """The main inputs of the towers, by name; a tower may have several."""
        named = (getattr(tower, "main_input_name", None) or () for tower in self.towers)
        return tuple(name for one in named for name in ((one,) if isinstance(one, str) else one))

    @property
    def device(self) -> torch.device:
        """Where the first weight of the model is, so where it takes its inputs."""
        return next((one.device for one in chain(self.model.parameters(), self.model.buffers())), CPU)

    @property
    def arguments(self) -> tuple[str, ...]:
        """The names of the arguments, in the order of `forward`."""
        return tuple(parameter.name for parameter in self.parameters)

    def settings(self, *names: str, side: Side = "input") -> list[Any]:
        """For each tower, the first of these config attributes that is set; the parts of this side come first."""
        found: list[Any] = []
        for whole in self.configs:
            configs = list(config_parts(whole, side))
            values = (getattr(config, name, None) for config in configs for name in names)
            found.extend([value for value in values if value is not None][:1])
        return found

    def setting(self, *names: str, side: Side = "input") -> Any:
        """The first of these config attributes that is set in any tower; None if there is none."""
        return next(iter(self.settings(*names, side=side)), None)

    def special_ids(self, side: Side = "input") -> tuple[int, ...]:
        """Every id that has a name in a config (`sep_token_id`, `decoder_start_token_id`), ascending."""
        found = set()
        for whole in self.configs:
            for config in config_parts(whole, side):
                named = (value for name, value in vars(config).items() if name.endswith("_token_id"))
                found |= {one for value in named for one in (value if isinstance(value, (list, tuple)) else (value,))}
        return tuple(sorted(one for one in found if type(one) is int and one >= 0))

    def is_head(self, *endings: str) -> bool:
        """Whether a tower is such a head (`ForMultipleChoice`), by the names of its class and of its bases."""
        return any(base.__name__.endswith(endings) for tower in self.towers for base in type(tower).__mro__)

    def says(self, words: str) -> bool:
        """Whether the forward of a tower, or of a class it derives from, contains a text with these words.

        A head that refuses some inputs has an error message for it. No other sign of it works without a list of
        models. The text is read from the compiled code, so no source file is needed.
        """
        return any(words in text for tower in self.towers for text in _texts(tower))

    def gives(self, keyword: str) -> bool:
        """Whether the forward of a tower names this keyword in a call of its own, so that nobody else may give it."""
        return any(keyword in names for tower in self.towers for names in _constant_tuples(tower))

    def parts_take(self, argument: str) -> bool:
        """Whether the forward of a Transformers model inside a tower, with a config of its own, names this argument."""
        inside = ((tower, one) for tower in self.towers for child in tower.children() for one in _all_towers(child))
        parts = (one for tower, one in inside if one.config is not tower.config)
        return any(argument in inspect.signature(one.forward).parameters for one in parts)

    def parts_give(self, keyword: str, beside: str) -> bool:
        """Whether a Transformers model inside, which names the argument `beside` and not this one, gives it itself."""
        parts = (one for tower in self.towers for child in tower.children() for one in _all_towers(child))
        named = ((one, inspect.signature(one.forward).parameters) for one in parts)
        own = (one for one, parameters in named if beside in parameters and keyword not in parameters)
        return any(keyword in names for one in own for names in _constant_tuples(one))

    def towers_take(self, argument: str) -> bool:
        """Whether the forward of a tower names this argument."""
        return any(argument in inspect.signature(tower.forward).parameters for tower in self.towers)


def facts_of(model: nn.Module) -> Facts | None:
    """The facts of a model that is a Transformers model or wraps one; None for any other module.

    Raises `InputsError` if `forward` takes its inputs without names.
    """
    towers = tuple(_towers(model))
    if not towers:
        return None
    for module in (model, *towers):
        parameters = tuple(inspect.signature(module.forward).parameters.values())
        named = tuple(p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY))
        if named and not (_mirrors(parameters) and module not in towers):
            passes_on = module in towers and _is_open(parameters)
            return Facts(model, towers, named, passes_on, prepared(towers[0].config))
        if not _is_open(parameters):
            break
    raise InputsError(
        f"inputs cannot be derived for {type(model).__name__}: its forward names no argument; name the arguments there"
    )


def config_parts(config: Any, side: Side) -> Iterator[Any]:
    """The parts of the config that are about this side, innermost first, and then the config itself.

    Pictures and sound may be read by a part of any name: the other parts come last.
    """
    for name in _PARTS[side]:
        part = getattr(config, name, None)
        if hasattr(part, "to_dict"):
            yield from config_parts(part, side)
            break
    yield config
    if side in ("vision", "audio"):
        for part in vars(config).values():
            if hasattr(part, "to_dict"):
                yield from config_parts(part, side)


def _is_open(parameters: tuple[inspect.Parameter, ...]) -> bool:
    return any(p.kind is p.VAR_KEYWORD for p in parameters)


def _mirrors(parameters: tuple[inspect.Parameter, ...]) -> bool:
    # A wrapper that takes `return_dict` and `**kwargs` has the interface of the Transformers model inside.
    return _is_open(parameters) and any(p.name == "return_dict" for p in parameters)


def _towers(module: nn.Module) -> Iterator[nn.Module]:
    base = getattr(sys.modules.get("transformers.modeling_utils"), "PreTrainedModel", None)
    if base is None:
        return
    if isinstance(module, base):
        yield module
        return
    for child in module.children():
        yield from _towers(child)


def _all_towers(module: nn.Module) -> Iterator[nn.Module]:
    """The Transformers models in a module, and those inside them."""
    for tower in _towers(module):
        yield tower
        yield from (one for child in tower.children() for one in _all_towers(child))


def _texts(module: nn.Module) -> Iterator[str]:
    return (one for one in _constants_in_code(module) if isinstance(one, str))


def _constant_tuples(module: nn.Module) -> Iterator[tuple[object, ...]]:
    """Among them are the keywords of each call: compiled code has their names in one tuple."""
    return (one for one in _constants_in_code(module) if isinstance(one, tuple))


def _constants_in_code(module: nn.Module) -> Iterator[object]:
    for base in type(module).__mro__:
        forward = inspect.unwrap(base.__dict__["forward"]) if "forward" in base.__dict__ else None
        yield from getattr(getattr(forward, "__code__", None), "co_consts", ())
