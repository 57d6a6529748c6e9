"""Records a model before and after an export, and lists what the export changed in it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from torch import nn

from pytest_tsexport.tensors.changes import Change, changes
from pytest_tsexport.tensors.module_record import record
from pytest_tsexport.tensors.named_tensors import Entry, entries, own_weight
from pytest_tsexport.tensors.record import ModuleRecord
from pytest_tsexport.tensors.weights import ties_of

TIED = "(tied)"
"""The name of a change of ties; no attribute can have it."""

PARTED = "(parted)"
"""The name of a change of what a model refers to."""

UNTRAINED = "an optimizer that holds the old one trains nothing"


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Everything of a model that an export must not change; the values of tensors as hashes."""

    record: ModuleRecord
    tied: tuple[tuple[str, ...], ...]
    names: frozenset[str]
    """Those of all its tensors."""
    parameters: Mapping[str, nn.Parameter] = field(repr=False)
    """The parameters themselves: an optimizer holds them. They are kept alive, so that no identity is used twice."""
    attached: frozenset[str]
    """The plain attributes of a module that refer to a weight of it, as an LSTM has them."""

    @classmethod
    def of(cls, model: nn.Module) -> Fingerprint:
        """The fingerprint of `model` now."""
        found = entries(model)
        return cls(
            record=record(model),
            tied=tuple(group.names for group in ties_of(model)),
            names=frozenset(entry.name for entry in found),
            parameters={entry.name: one for entry in found if isinstance(one := entry.tensor, nn.Parameter)},
            attached=frozenset(entry.name for entry in found if _is_attached(entry)),
        )

    def differences(self, later: Fingerprint) -> tuple[Change, ...]:
        """What differs in `later`: ties first, then the rest in the order of the module tree."""
        return (*self._ties(later), *changes(self.record, later.record))

    def parted(self, later: Fingerprint, named: Sequence[Change] = ()) -> Iterator[Change]:
        """What of the same model refers to other objects in `later`, besides what is `named`. In a copy, all may."""
        names = {name for change in named for name in (change.path, *change.owner.split(" and "))}
        for name, one in self.parameters.items():
            if name in later.parameters and name not in names and later.parameters[name] is not one:
                yield Change(name, PARTED, f"{name} was replaced by an equal one: {UNTRAINED}")
        for name in sorted((self.attached & later.names) - later.attached):
            yield Change(name, PARTED, f"{name} is a copy of a weight now: training does not reach it")

    def changes(self, later: Fingerprint) -> tuple[str, ...]:
        """What differs in `later`, each in a few words."""
        return described(self.differences(later))

    def _ties(self, later: Fingerprint) -> Iterator[Change]:
        """Groups are compared by the names that both models have: a weight that is gone is listed as that."""
        before, after = _among(self.tied, later.names), _among(later.tied, self.names)
        for names in before:
            if not any(set(names) <= set(others) for others in after):
                what = "tied" if set(names) <= self.parameters.keys() else "parts of one memory"
                yield Change(" and ".join(names), TIED, f"{' and '.join(names)} are no longer {what}")
        for names in after:
            if not any(set(names) <= set(others) for others in before):
                what = "tied" if set(names) <= later.parameters.keys() else "parts of one memory"
                yield Change(" and ".join(names), TIED, f"{' and '.join(names)} are {what} now")


def _is_attached(entry: Entry) -> bool:
    return not entry.is_weight and own_weight(entry) is not None


def described(found: Sequence[Change]) -> tuple[str, ...]:
    """The changes in words; those of training modes in one line, the last."""
    modes = [change.text for change in found if change.is_mode]
    texts = [change.text for change in found if not change.is_mode]
    if modes:
        texts.append(f"the training mode of {modes[0]}" + (f" (and of {len(modes) - 1} more)" if modes[1:] else ""))
    return tuple(dict.fromkeys(texts))


def _among(groups: Sequence[tuple[str, ...]], names: Collection[str]) -> list[tuple[str, ...]]:
    """The groups, without the names that are not among `names`."""
    kept = (tuple(name for name in group if name in names) for group in groups)
    return [group for group in kept if len(group) > 1]
