"""What an exporter may leave changed in the whole process: its settings, and functions of torch that it replaced."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import BuiltinFunctionType, FunctionType, MethodDescriptorType
from typing import Any

import torch

from pytest_tsexport.subjects.process_state import Change, ProcessState, Setting, not_of_imports

FUNCTIONS = (FunctionType, BuiltinFunctionType, MethodDescriptorType)

OWNERS: Mapping[str, Any] = {
    "torch": torch,
    "torch.Tensor": torch.Tensor,
    "torch.nn.functional": torch.nn.functional,
    "torch.nn.Module": torch.nn.Module,
}
"""Where models find the functions that they call."""

OWN = ("torch._dynamo", "torch._compile")
"""The modules of torch that put their own functions there, when torch compiles for the first time."""

MOST = 4
"""The most changes that one line names."""

FILTERS = "the warning filters"


def _set_filters(filters: tuple[Any, ...]) -> None:
    if tuple(warnings.filters) != filters:
        warnings.resetwarnings()  # it raises their version: what was given under the others counts as not given
        warnings.filters[:] = list(filters)  # type: ignore[index]


FILTER_SETTING: Setting = (lambda: tuple(warnings.filters), _set_filters)


@dataclass(frozen=True, slots=True, eq=False)
class Settings:
    """The settings of the process at one moment, the functions of torch, and the modules that were imported."""

    state: ProcessState
    functions: Mapping[tuple[str, str], object]
    imported: frozenset[str]
    filters: tuple[Any, ...]

    @classmethod
    def now(cls) -> Settings:
        """As they are now."""
        functions = {(owner, name): one for owner, holder in OWNERS.items() for name, one in _functions(holder)}
        return cls(ProcessState.now(), functions, frozenset(sys.modules), tuple(warnings.filters))

    def changes(self) -> tuple[Change, ...]:
        """What differs from them now, except for what packages have set while they were imported."""
        found = self.state.changes()
        if found:
            found = not_of_imports(found, self._new_modules())
        return (*found, *self._replaced(), *self._filters())

    def restore(self) -> None:
        """Set what differs back to what it was, so that it changes neither another verdict nor another test."""
        self.put_back(self.changes())

    def put_back(self, changes: Sequence[Change]) -> None:
        """Undo these changes; the warning filters are put back even if an import may have changed them."""
        for change in changes:
            change.undo()
        _set_filters(self.filters)

    def _replaced(self) -> Iterator[Change]:
        """Functions with another in their place; packages put their own there when they are imported."""
        for (owner, name), was in self.functions.items():
            now = vars(OWNERS[owner]).get(name)
            if now is not was and not self._is_from_new_import(now):
                called = f"{owner}.{name}"
                setting = _function(OWNERS[owner], name)
                yield Change(called, f"{called} was replaced", was, now, setting, decides=True)

    def _is_from_new_import(self, function: object) -> bool:
        home = getattr(function, "__globals__", {}).get("__name__", "")  # `functools.wraps` changes `__module__`
        return home.startswith(OWN) or (home in sys.modules and home not in self.imported)

    def _filters(self) -> Iterator[Change]:
        """Packages add some when they are imported, so they are told only if nothing was."""
        now = tuple(warnings.filters)
        if now != self.filters and not self._new_modules():
            yield Change(FILTERS, f"{FILTERS} were changed", self.filters, now, FILTER_SETTING)

    def _new_modules(self) -> list[str]:
        return [name for name in list(sys.modules) if name not in self.imported]


@contextmanager
def settings_put_back() -> Iterator[list[Change]]:
    """Puts back whatever changes in the process in this block; the list holds it after the block."""
    before = Settings.now()
    found: list[Change] = []
    try:
        yield found
    finally:
        found.extend(before.changes())
        before.put_back(found)


@contextmanager
def part_of_threads(processes: int) -> Iterator[None]:
    """Limits torch to one part of its threads, as `processes` share the machine; restores their number afterwards."""
    threads = torch.get_num_threads()
    torch.set_num_threads(max(threads // processes, 1))
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def put_back_note(changes: Sequence[str]) -> str:
    """Tells of changes that were put back, without a failure."""
    return f"changed in the process, and put back: {listed(changes)}"


def listed(changes: Sequence[str]) -> str:
    """Changes in one line."""
    more = f"; and {len(changes) - MOST} more" if len(changes) > MOST else ""
    return "; ".join(changes[:MOST]) + more


def _functions(holder: Any) -> Iterator[tuple[str, object]]:
    """The functions of a module or a class; None for a method that a class inherits, and may be given itself."""
    bases = [base for base in getattr(holder, "__mro__", ())[1:] if base is not object]
    yield from ((name, None) for base in bases for name, one in vars(base).items() if isinstance(one, FUNCTIONS))
    yield from ((name, one) for name, one in vars(holder).items() if isinstance(one, FUNCTIONS))


def _function(holder: Any, name: str) -> Setting:
    def write(was: object) -> None:
        if was is None:
            delattr(holder, name)
        else:
            setattr(holder, name, was)

    return (lambda: vars(holder).get(name)), write
