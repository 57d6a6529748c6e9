"""checkpoint folder or cached hub id -> model: the class that its config names. Nothing is downloaded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

from pytest_tsexport.config.shown import shown
from pytest_tsexport.errors import InputsError, ends_the_run
from pytest_tsexport.subjects.transformers.checkpoint_files import fault_of

MOST_NAMED = 2
"""Missing weights that are named; the others are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loading:
    """How a checkpoint is loaded: the `revision` of a cached hub id, the `dtype` of its weights, whose code runs."""

    revision: str | None = None
    dtype: str | None = None
    trusts_remote_code: bool = False

    @property
    def keywords(self) -> dict[str, Any]:
        """For `from_pretrained`. Without a word about remote code it would ask on the terminal."""
        given = {"revision": self.revision, "dtype": self.dtype}
        asked = {name: value for name, value in given.items() if value is not None}
        return {"local_files_only": True, "trust_remote_code": self.trusts_remote_code, **asked}


def load(name: str, loading: Loading) -> Any:
    """The pretrained model. Raises `InputsError`, one sentence, if it cannot be loaded."""
    try:
        import transformers
    except ImportError:
        raise InputsError(f"{name!r} is a checkpoint, but transformers is not installed") from None
    if Path(name).is_dir():
        fault = _fault(Path(name), loading)
        if fault is not None:
            raise InputsError(f"{name!r} cannot be loaded as a checkpoint: {fault}")
    try:
        return _loaded(transformers, name, loading)
    except InputsError:
        raise
    except UnpicklingError as error:
        sentence = "its weights are a pickle that torch refuses, because loading it could run code"
        raise InputsError(f"{name!r} cannot be loaded as a checkpoint: {sentence}; save it as safetensors") from error
    except Exception as error:  # Transformers and the files may raise anything
        if ends_the_run(error):
            raise
        raise InputsError(_refusal(name, loading, error)) from error


def _fault(folder: Path, loading: Loading) -> str | None:
    if loading.revision is not None:
        return f"it is a folder, which has no revision {loading.revision!r}; give a cached hub id"
    return fault_of(folder)


def _refusal(name: str, loading: Loading, error: Exception) -> str:
    text = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
    if "trust_remote_code" in str(error):
        return f"{name!r} brings code of its own, which was not run; if you trust it, give --ts-trust-remote-code"
    if isinstance(error, OSError) and not Path(name).is_dir():
        # Its text is about the network, which is not used here.
        revision = "" if loading.revision is None else f" with the revision {loading.revision!r}"
        return f"{name!r} is neither a checkpoint folder nor a hub id in the cache{revision}"
    return f"{name!r} cannot be loaded as a checkpoint: {shown(text)}"


def _loaded(transformers: Any, name: str, loading: Loading) -> Any:
    without_dtype = {key: value for key, value in loading.keywords.items() if key != "dtype"}
    config = transformers.AutoConfig.from_pretrained(name, **without_dtype)
    made = _class_of(transformers, config, name, loading)
    model, found = made.from_pretrained(name, output_loading_info=True, **loading.keywords)
    missing = sorted(found.get("missing_keys", ()))
    if missing:
        more = f" and {len(missing) - MOST_NAMED} more" if len(missing) > MOST_NAMED else ""
        sentence = f"it has no weights for {', '.join(missing[:MOST_NAMED])}{more} of {type(model).__name__}"
        raise InputsError(f"{name!r} cannot be loaded as a checkpoint: {sentence}; they would be drawn at random")
    return model


def _class_of(transformers: Any, config: Any, name: str, loading: Loading) -> Any:
    """The first architecture in the config, which is the trained head; the bare model if the config names none."""
    if not config.architectures:
        return transformers.AutoModel
    named = config.architectures[0]
    own = getattr(config, "auto_map", None) or {}
    auto = next((key for key, value in own.items() if str(value).endswith(f".{named}")), None)
    if auto is not None and loading.trusts_remote_code:
        return getattr(transformers, auto)
    found = getattr(transformers, named, None)
    if found is not None:
        return found
    if auto is not None:
        raise InputsError(
            f"{name!r} brings code of its own, which was not run; if you trust it, give --ts-trust-remote-code"
        )
    raise InputsError(f"{name!r} is a {named}, which this transformers does not have")
