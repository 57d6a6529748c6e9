"""Lists the mutants of a module: cosmic-ray's operators, less what says nothing about the tests.

This is the only module that knows cosmic-ray. It defines no operators.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

from tests.benchmarks.mutants.places import Position, compares_words, why_skipped

KEPT = re.compile(
    r"core/("
    # A sum becomes a difference. The other replacements of cosmic-ray (`+` by `<<`) raise TypeError for all but
    # integers, so any test that runs the line would kill them.
    r"ReplaceBinaryOperator_(Add_Sub|Sub_Add|Mul_Div|Div_Mul|FloorDiv_Mul|FloorDiv_Div|Mod_FloorDiv|Pow_Mul"
    r"|BitOr_BitAnd|BitAnd_BitOr)"
    # `is` for `==` depends on what CPython interns; `<` for `is` is a TypeError.
    r"|ReplaceComparisonOperator_(Eq|NotEq|Lt|LtE|Gt|GtE)_(Eq|NotEq|Lt|LtE|Gt|GtE)"
    r"|ReplaceComparisonOperator_(Is_IsNot|IsNot_Is)"
    r"|ReplaceUnaryOperator_(USub_UAdd|UAdd_USub|Delete_\w+)"
    r"|AddNot|ReplaceTrueWithFalse|ReplaceFalseWithTrue|ReplaceAndWithOr|ReplaceOrWithAnd"
    r"|ReplaceBreakWithContinue|ReplaceContinueWithBreak|ExceptionReplacer|NumberReplacer|RemoveDecorator"
    r"|ZeroIterationForLoop)"
)
"""The operators of cosmic-ray that are used, by name. The two that replace variables need a variable each."""

ORDERING = re.compile(r"core/ReplaceComparisonOperator_(Eq|NotEq)_(Lt|LtE|Gt|GtE)")
"""Between words, `==` becomes `!=` only: whether "left" comes before "right" in the alphabet means nothing."""


@dataclass(frozen=True, slots=True, order=True)
class Mutant:
    """One change of one module: the `occurrence`-th place where the operator applies.

    `module` is the path from the root of the repository; lines count from 1, columns from 0.
    """

    module: str
    start: Position
    end: Position
    operator: str
    occurrence: int

    @property
    def package(self) -> str:
        """The package inside pytest_tsexport: `checks`."""
        return self.module.split("/")[1]

    @property
    def line(self) -> int:
        """The line on which the change starts."""
        return self.start[0]

    @property
    def family(self) -> str:
        """The kind of change: `NumberReplacer`, `ReplaceComparisonOperator`."""
        return self.operator.removeprefix("core/").partition("_")[0]


@cache
def operators() -> tuple[str, ...]:
    """The names of the operators that are used, in cosmic-ray's order."""
    return tuple(name for name in operator_names() if KEPT.fullmatch(name))


def mutants_of(module: str, source: str) -> Iterator[tuple[Mutant, str | None]]:
    """Every mutant of a module, with the reason why it is skipped, or None."""
    nodes = list(ast_nodes(get_ast(source)))
    reasons, words = why_skipped(source), compares_words(source)
    for name in operators():
        operator = _operator(name)
        places = ((node, *span) for node in nodes for span in operator.mutation_positions(node))
        for occurrence, (node, start, end) in enumerate(places):
            # `*` and `/` between parameters are no operators, though cosmic-ray takes them for one.
            marker = "parameter marker" if node.parent and node.parent.type in {"parameters", "lambdef"} else None
            order = "order of words" if ORDERING.fullmatch(name) and words(start) else None
            yield Mutant(module, start, end, name, occurrence), marker or order or reasons(start)


def mutated(source: str, mutant: Mutant) -> str | None:
    """The module with the change; None if it is no longer Python, or the same program."""
    changed = mutate_code(source, _operator(mutant.operator), mutant.occurrence)
    if changed is None:
        return None
    try:
        same = ast.dump(ast.parse(changed)) == ast.dump(ast.parse(source))
    except SyntaxError:
        return None
    return None if same else str(changed)


def _operator(name: str) -> Any:
    return get_operator(name)()
