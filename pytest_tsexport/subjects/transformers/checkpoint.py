"""checkpoint folder or cached hub id -> model: the class that its config names. Nothing is downloaded."""

from __future__ import annotations

from typing import Any

from pytest_tsexport.config.shown import first_line
from pytest_tsexport.errors import InputsError


def load(name: str) -> Any:
    """The pretrained model. Raises `InputsError`, one sentence, if it cannot be loaded."""
    try:
        import transformers
    except ImportError:
        raise InputsError(f"{name!r} is a checkpoint, but transformers is not installed") from None
    try:
        config = transformers.AutoConfig.from_pretrained(name, local_files_only=True)
        return _class_of(transformers, config, name).from_pretrained(name, local_files_only=True)
    except OSError as error:
        # Its text is about the network, which is not used here.
        raise InputsError(f"{name!r} is neither a checkpoint folder nor a hub id in the cache") from error
    except ValueError as error:
        raise InputsError(f"{name!r} cannot be loaded as a checkpoint: {first_line(error)}") from error


def _class_of(transformers: Any, config: Any, name: str) -> Any:
    """The first architecture in the config, which is the trained head; the bare model if the config names none."""
    if not config.architectures:
        return transformers.AutoModel
    found = getattr(transformers, config.architectures[0], None)
    if found is None:
        raise InputsError(f"{name!r} is a {config.architectures[0]}, which this transformers does not have")
    return found
