"""What the installed Transformers maps: model types, and the heads that each of them has."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from pytest_tsexport.errors import InputsError

_PREFIX = "AutoModelFor"


def list_model_types() -> tuple[str, ...]:
    """The model types that `AutoModel` maps, in alphabetical order."""
    return tuple(sorted(_mapping_of("AutoModel")))


def list_heads(model_type: str) -> tuple[str, ...]:
    """The heads of a model type, as the auto classes call them: `CausalLM` is `AutoModelForCausalLM`."""
    known(model_type)
    return tuple(head for head in _heads() if model_type in _mapping_of(_PREFIX + head))


def known(model_type: str) -> str:
    """The model type itself. Raises `InputsError` if the installed Transformers does not map it."""
    if model_type not in _mapping_of("AutoModel"):
        import transformers

        raise InputsError(f"{model_type!r} is not a model type of AutoModel in transformers {transformers.__version__}")
    return model_type


def class_name(model_type: str, head: str | None = None) -> str:
    """The class that `AutoModel`, or the auto class of this head, maps the model type to.

    Raises `InputsError`, one sentence, if there is no such model type, or if it has no such head.
    """
    known(model_type)
    if head is not None and head not in list_heads(model_type):
        heads = ", ".join(list_heads(model_type)) or "none"
        raise InputsError(f"{model_type!r} has no head {head!r}; it has {heads}")
    found = _mapping_of("AutoModel" if head is None else _PREFIX + head)[model_type]
    # Some types name several classes; the auto class takes the first where the config names none.
    return found if isinstance(found, str) else found[0]


@functools.cache
def _heads() -> tuple[str, ...]:
    from transformers.models.auto import modeling_auto

    names = sorted(name for name in vars(modeling_auto) if name.startswith(_PREFIX))
    return tuple(name[len(_PREFIX) :] for name in names if hasattr(getattr(modeling_auto, name), "_model_mapping"))


def _mapping_of(auto_class: str) -> Mapping[str, Any]:
    """Model type -> class name. The attributes have no public twin; both majors of Transformers have them."""
    from transformers.models.auto import modeling_auto

    mapping: Mapping[str, Any] = getattr(modeling_auto, auto_class)._model_mapping._model_mapping
    return mapping
