"""Records a model before and after an export, and lists what the export changed in it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from torch import nn

from pytest_tsexport.tensors.changes import Change, changes
from pytest_tsexport.tensors.module_record import record
from pytest_tsexport.tensors.named_tensors import named_tensors
from pytest_tsexport.tensors.record import ModuleRecord
from pytest_tsexport.tensors.weights import ties_of

TIED = "(tied)"
"""The name of a change of ties; no attribute can have it."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Everything of a model that an export must not change; the values of tensors as hashes."""

    record: ModuleRecord
    tied: tuple[tuple[str, ...], ...]
    names: frozenset[str]
    """Those of all its tensors."""

    @classmethod
    def of(cls, model: nn.Module) -> Fingerprint:
        """The fingerprint of `model` now."""
        return cls(record(model), tuple(group.names for group in ties_of(model)), frozenset(named_tensors(model)))

    def differences(self, later: Fingerprint) -> tuple[Change, ...]:
        """What differs in `later`: ties first, then the rest in the order of the module tree."""
        return (*self._ties(later), *changes(self.record, later.record))

    def changes(self, later: Fingerprint) -> tuple[str, ...]:
        """What differs in `later`, each in a few words."""
        return described(self.differences(later))

    def _ties(self, later: Fingerprint) -> Iterator[Change]:
        """Groups are compared by the names that both models have: a weight that is gone is listed as that."""
        before, after = _among(self.tied, later.names), _among(later.tied, self.names)
        for names in before:
            if not any(set(names) <= set(others) for others in after):
                yield Change(" and ".join(names), TIED, f"{' and '.join(names)} are no longer tied")
        for names in after:
            if not any(set(names) <= set(others) for others in before):
                yield Change(" and ".join(names), TIED, f"{' and '.join(names)} are tied now")


def described(found: Sequence[Change]) -> tuple[str, ...]:
    """The changes in words; those of training modes in one line, the last."""
    modes = [change.owner for change in found if change.is_mode]
    texts = [change.text for change in found if not change.is_mode]
    if modes:
        texts.append(f"the training mode of {modes[0] or 'the model'} ({len(modes)} modules)")
    return tuple(dict.fromkeys(texts))


def _among(groups: Sequence[tuple[str, ...]], names: Collection[str]) -> list[tuple[str, ...]]:
    """The groups, without the names that are not among `names`."""
    kept = (tuple(name for name in group if name in names) for group in groups)
    return [group for group in kept if len(group) > 1]
