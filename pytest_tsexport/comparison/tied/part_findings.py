"""tied names, readers -> finding: a clone that the file reads for a part of what the model reads its name for.

Half of its rows come from another clone, or a mixture of the two. It is asked only where the file has as many clones as
it needs, each with the weight's value, and answers as the model: then a change of a clone moves its answer as a change
of its name moves the model's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from pytest_tsexport.comparison.tied.evidence import TiedEvidence
from pytest_tsexport.comparison.tied.file_values import Copy
from pytest_tsexport.comparison.tied.movements import INFINITE, Response, misfit, settled, worst_slice
from pytest_tsexport.comparison.tied.readers import EXACT, NEAR, TOGETHER, Reader
from pytest_tsexport.comparison.tied.value_findings import Finding, listed

PARTLY = "a clone in the file is read in part only"

TIED_BY_EXPORTER = "the file ties weights that the model does not"

APART = 0.5
"""The misfit of a single slice of an output from which a change counts as another one in an exact file."""

TO_THE_BIT = 0.01
"""The same, and that of the whole answer, where the file computes with the model's kernels, bit for bit."""

MOST_OTHERS = 50
"""So many weights of one value are told apart by changing them, at a call each."""


@dataclass(frozen=True, slots=True)
class _Clone:
    """What stands for one name: the copies of it in all members of an ensemble, or one copy."""

    name: str
    copies: tuple[Copy, ...]

    @property
    def key(self) -> str:
        """What it is called in a message."""
        return listed([copy.key for copy in self.copies], " and ")


def partly_read(
    names: Sequence[str], live: Sequence[str], readers: Sequence[Reader], tied: TiedEvidence
) -> Finding | None:
    """The clone that is read for the least, if there is one that is not read for all."""
    if any(one.copy.how != "equal" for one in readers) or not _answers_as_eager(tied):
        return None
    clones = _in_sets(names, live, readers, tied) or _renamed(names, live, readers, tied)
    found = [clone for clone in clones if _is_another(clone, tied)]
    if not found:
        return None
    clone = min(found, key=lambda one: _share(one, tied))  # the one that is read for less; the other takes its place
    other = _equal_other(clone, names, tied)
    if other is None and not _are_read_together(clones, tied):
        said = f"a part of what the model computes from {clone.name} is a constant in the file"
        return Finding(notes=(said,))
    how = "only a part of what" if _share(clone, tied) < 1 else "other things than"
    verb = "is" if len(clone.copies) == 1 else "are"
    text = f"{clone.key} {verb} read for {how} the model reads {clone.name} for"
    if other is not None:
        text = f"{clone.key} {verb} read for {clone.name} and for {other}, which the model does not tie"
    fix = f"let forward read {clone.key} wherever the model reads {clone.name}{', and nowhere else' if other else ''}"
    return Finding(headline=PARTLY if other is None else TIED_BY_EXPORTER, text=text, fix=fix)


def _in_sets(names: Sequence[str], live: Sequence[str], readers: Sequence[Reader], tied: TiedEvidence) -> list[_Clone]:
    """The clones under the model's own names, which several members of an ensemble may have; empty if there are others.

    A clone that stands for another name is left out: the two are exchanged.
    """
    sets = tied.values.own_sets(names)
    known = {one.copy.key: one for one in readers}
    if not sets or sorted(known) != sorted(prefix + name for prefix in sets for name in names):
        return []
    members = {name: [known[prefix + name] for prefix in sets] for name in live}
    return [
        _Clone(name, tuple(one.copy for one in ones))
        for name, ones in members.items()
        if all(one.is_live for one in ones) and (len(sets) > 1 or not ones[0].names or name in ones[0].names)
    ]


def _renamed(names: Sequence[str], live: Sequence[str], readers: Sequence[Reader], tied: TiedEvidence) -> list[_Clone]:
    """As many living tensors as there are names, whatever they are called: each stands for the name that fits best.

    One that moves no floating output, as through an index only, fits none.
    """
    living = [one for one in readers if one.is_live and (one.names or not _is_another_weight(one, names, tied))]
    if len(living) != len(live):
        return []
    gaps = [(one, {name: _gap(one, name, tied) for name in live}) for one in living]
    return [_Clone(min(of, key=of.__getitem__), (one.copy,)) for one, of in gaps if min(of.values()) < INFINITE]


def _is_another_weight(one: Reader, names: Sequence[str], tied: TiedEvidence) -> bool:
    """Whether a tensor stands for a weight that is not tied and has the same value; of many, each may be it.

    So it is where too few calls are left to ask.
    """
    basis, moved = one.copy.names[0], tied.responses.of_copy(one.copy)
    others = list(tied.values.equal_others(basis, names))
    return len(others) > min(MOST_OTHERS, tied.responses.calls_left) or any(
        misfit(moved, tied.responses.of_equal(basis, name)) <= NEAR for name in others
    )


def _gap(one: Reader, name: str, tied: TiedEvidence) -> float:
    if name not in one.copy.names:
        return INFINITE
    return misfit(tied.responses.of_copy(one.copy), tied.responses.of_names(one.copy.names[0], (name,)))


def _expected(clone: _Clone, tied: TiedEvidence) -> Response:
    return tied.responses.of_names(clone.copies[0].names[0], (clone.name,))


def _are_read_together(clones: Sequence[_Clone], tied: TiedEvidence) -> bool:
    """Whether the clones, all changed alike, move the file as all their names move the model.

    Then what one of them is not read for, another is. If not, it is a constant, as a scale that was computed once.
    """
    if len({clone.copies[0].names for clone in clones}) != 1:
        return True
    moved = tied.responses.of_copies([copy for clone in clones for copy in clone.copies])
    names = tuple(dict.fromkeys(clone.name for clone in clones))
    expected = tied.responses.of_names(clones[0].copies[0].names[0], names)
    return misfit(moved, expected) <= (EXACT if tied.is_equal else TOGETHER)


def _equal_other(clone: _Clone, names: Sequence[str], tied: TiedEvidence) -> str | None:
    """The weight that is not tied and has the same value, if the clone stands for it too."""
    basis, moved = clone.copies[0].names[0], tied.responses.of_copies(clone.copies)
    others = islice(tied.values.equal_others(basis, names), min(MOST_OTHERS, tied.responses.calls_left))
    fits = (other for other in others if misfit(moved, tied.responses.of_equal(basis, clone.name, other)) <= TOGETHER)
    return next(fits, None)


def _is_another(clone: _Clone, tied: TiedEvidence) -> bool:
    """Whether the file moves in another way than the model, as a whole or in a slice of an output."""
    moved, expected, base = tied.responses.of_copies(clone.copies), _expected(clone, tied), tied.responses.eager.base
    if moved.vector is None or expected.vector is None or base is None:
        return False
    if not bool(moved.vector.any()) and not bool(expected.vector.any()):  # an index that is read jumps
        return False
    if tied.is_equal:  # few numbers in half precision are equal by luck, with other kernels
        moved = settled(moved, expected)
    whole, slices = (TO_THE_BIT, TO_THE_BIT) if tied.is_equal else (NEAR, APART if tied.is_exact else INFINITE)
    return misfit(moved, expected) > whole or worst_slice(moved, expected, base) > slices


def _share(clone: _Clone, tied: TiedEvidence) -> float:
    """How far the file moves, as a share of how far the model does."""
    moved, expected = tied.responses.of_copies(clone.copies).vector, _expected(clone, tied).vector
    return 1.0 if moved is None or expected is None else float(moved.norm() / expected.norm())


def _answers_as_eager(tied: TiedEvidence) -> bool:
    """Whether the answers to the example inputs hold, and are of floating numbers: others jump."""
    base = tied.responses.eager.base or {}
    has_floats = any(leaf.is_floating_point() or leaf.is_complex() for leaf in base.values())
    return has_floats and tied.holds_parity and tied.equals_file(tied.responses.eager.base)
