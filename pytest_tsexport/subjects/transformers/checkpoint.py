"""checkpoint folder or cached hub id -> model: the class that its config names. Nothing is downloaded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

from pytest_tsexport.config.given_models import own_class
from pytest_tsexport.config.shown import raised_by
from pytest_tsexport.errors import InputsError, ends_the_run
from pytest_tsexport.subjects.transformers.checkpoint_files import fault_of

REFUSED_PICKLE = "Unsupported global"
"""In torch's message about a pickle that would call something."""

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
        """For each `from_pretrained`. Without a word about remote code it would ask on the terminal."""
        revision = {} if self.revision is None else {"revision": self.revision}
        return {"local_files_only": True, "trust_remote_code": self.trusts_remote_code, **revision}


def load(name: str, loading: Loading) -> Any:
    """The pretrained model. Raises `InputsError`, one sentence, if it cannot be loaded."""
    try:
        import transformers
    except ImportError:
        raise InputsError(f"{name!r} is a checkpoint, but transformers is not installed") from None
    try:
        fault = _fault(Path(name), loading) if Path(name).exists() else None
        if fault is None:
            return _loaded(transformers, name, loading)
    except InputsError:
        raise
    except Exception as error:  # Transformers and the files may raise anything
        if ends_the_run(error):
            raise
        raise InputsError(_refusal(name, loading, error)) from error
    raise InputsError(f"{name!r} cannot be loaded as a checkpoint: {fault}")


def _fault(path: Path, loading: Loading) -> str | None:
    if not path.is_dir():
        return "it is a file; give the folder that save_pretrained wrote"
    if loading.revision is not None:
        return f"it is a folder, which has no revision {loading.revision!r}; give a cached hub id"
    return fault_of(path)


def _refusal(name: str, loading: Loading, error: Exception) -> str:
    pickle = next((one for one in _with_causes(error) if isinstance(one, (UnpicklingError, EOFError))), None)
    if pickle is not None:
        refused = "that torch refuses, because loading it could run code; save it as safetensors"
        what = refused if REFUSED_PICKLE in str(pickle) else "that torch cannot read"
        return f"{name!r} cannot be loaded as a checkpoint: its weights are a pickle {what}"
    if "trust_remote_code" in str(error) and not loading.trusts_remote_code:
        return _own_code(name)
    if isinstance(error, OSError) and not Path(name).is_dir():
        # Its text is about the network, which is not used here.
        revision = "" if loading.revision is None else f" with the revision {loading.revision!r}"
        return f"{name!r} is neither a checkpoint folder nor a hub id in the cache{revision}"
    return f"{name!r} cannot be loaded as a checkpoint: {raised_by(error)}"


def _with_causes(error: BaseException | None) -> Iterator[BaseException]:
    """The exception, and what it was raised from or while: Transformers 4 hides what torch says of a pickle."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _own_code(name: str) -> str:
    return f"{name!r} brings code of its own, which was not run; if you trust it, give --ts-trust-remote-code"


def _loaded(transformers: Any, name: str, loading: Loading) -> Any:
    config = transformers.AutoConfig.from_pretrained(name, **loading.keywords)
    made = _class_of(transformers, config, name, loading)
    dtype = {} if loading.dtype is None else {"dtype": loading.dtype}
    asked = {"output_loading_info": True, "ignore_mismatched_sizes": True, **dtype}
    model, found = made.from_pretrained(name, **asked, **loading.keywords)
    _check_weights(name, type(model).__name__, found)
    return model


def _check_weights(name: str, model: str, found: Mapping[str, Any]) -> None:
    """Raise `InputsError` if weights are missing or have other sizes: both would be drawn at random."""
    missing, other = sorted(found.get("missing_keys", ())), sorted(found.get("mismatched_keys", ()))
    what = f"{name!r} cannot be loaded as a checkpoint: it has"
    if other:
        weight, *sizes = [other[0]] if isinstance(other[0], str) else other[0]  # Transformers 4 gives the names alone
        how = f" {tuple(sizes[0])}, and its config says {tuple(sizes[1])}" if sizes else " that its config does not say"
        raise InputsError(f"{what} {weight} of a size{how}{_more(other, 1)}")
    if missing:
        names = ", ".join(missing[:MOST_NAMED]) + _more(missing, MOST_NAMED)
        raise InputsError(f"{what} no weights for {names} of {model}; they would be drawn at random")


def _more(every: Sequence[object], named: int) -> str:
    return f" and {len(every) - named} more" if len(every) > named else ""


def _class_of(transformers: Any, config: Any, name: str, loading: Loading) -> Any:
    """The first architecture in the config, which is the trained head; the bare model if the config names none."""
    if not config.architectures:
        return transformers.AutoModel
    named = config.architectures[0] if isinstance(config.architectures, (list, tuple)) else config.architectures
    auto = own_class(named, getattr(config, "auto_map", None))
    if auto is not None and not loading.trusts_remote_code:
        raise InputsError(_own_code(name))
    if auto is not None:
        return getattr(transformers, auto)
    found = getattr(transformers, str(named), None)
    if found is not None:
        return found
    raise InputsError(f"{name!r} is a {named}, which this transformers does not have")
