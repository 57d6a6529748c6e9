"""checkpoint folder or cached hub id -> model, of the class that its config names; nothing is downloaded."""

from __future__ import annotations

from typing import Any

from pytest_tsexport.errors import InputsError


def load(name: str) -> Any:
    """The pretrained model. Raises `InputsError`, one sentence, where there is none."""
    try:
        import transformers
    except ImportError:
        raise InputsError(f"{name!r} is a checkpoint, and transformers is not installed") from None
    try:
        config = transformers.AutoConfig.from_pretrained(name, local_files_only=True)
        return _class_of(transformers, config, name).from_pretrained(name, local_files_only=True)
    except OSError as error:
        # Its own text is about the network, which nobody asked it to use.
        raise InputsError(f"{name!r} is no checkpoint folder and no hub id in the cache") from error
    except ValueError as error:
        raise InputsError(f"{name!r} cannot be loaded as a checkpoint: {str(error).splitlines()[0]}") from error


def _class_of(transformers: Any, config: Any, name: str) -> Any:
    """The first architecture of the config, which is the head that was trained; the bare model where it names none."""
    if not config.architectures:
        return transformers.AutoModel
    found = getattr(transformers, config.architectures[0], None)
    if found is None:
        raise InputsError(f"{name!r} is a {config.architectures[0]}, which this transformers does not have")
    return found
