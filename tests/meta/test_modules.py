"""The house rules that no linter knows hold in every module of the package."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests.meta.rules import Fault, Rule, must_hold
from tests.meta.sources import Source, functions, imported_by, modules, named, parsed

MOST_LINES = 250
MOST_LINES_OF = {"pytest_tsexport/plugin/hooks.py": 150}
"""The module that every run of pytest loads is held to less."""

MOST_LINES_OF_FUNCTIONS = 25


def what_is_wrong(line: str) -> str | None:
    """Why a first line does not say what its module is for; None if it is a sentence or `X -> Y: ...`."""
    if len(line.split()) < 3:
        return "it has fewer than three words"
    if re.match(r".+ -> .+: \S", line) or line[-1] in ".:?":
        return None
    return "it ends without a full stop, and is not of the form `X -> Y: ...`"


def first_line(module: Source) -> Iterator[Fault]:
    line = (ast.get_docstring(module.tree) or "").partition("\n")[0]
    if why := what_is_wrong(line):
        yield 1, f"the module opens with {line!r}: {why}"


def test_the_first_line_says_what_the_module_is_for() -> None:
    must_hold(first_line, modules())


@pytest.mark.parametrize(
    ("line", "good"),
    [
        ("Draws the cases of a search.", True),
        ("cases -> findings: what a search saw, and", True),
        ("", False),
        ("The cases.", False),
        ("Draws the cases of a search", False),
        ("cases -> findings", False),
    ],
)
def test_a_first_line_is_a_sentence_or_an_arrow(line: str, *, good: bool) -> None:
    assert (what_is_wrong(line) is None) is good


def length(module: Source) -> Iterator[Fault]:
    lines, most = len(module.text.splitlines()), MOST_LINES_OF.get(module.name, MOST_LINES)
    if lines > most:
        yield lines, f"the module has {lines} lines, and may have {most}"


def test_a_module_is_read_in_one_sitting() -> None:
    assert set(MOST_LINES_OF) <= {named(path) for path in modules()}
    must_hold(length, modules())


def test_functions_are_short() -> None:
    lengths = sorted(
        ((node.end_lineno or node.lineno) - node.lineno + 1, f"{named(module)}:{node.lineno} {node.name}")
        for module in modules()
        for node in functions(parsed(module))
    )
    length, where = lengths[int(0.95 * (len(lengths) - 1))]
    assert length <= MOST_LINES_OF_FUNCTIONS, f"one function in twenty is longer than {where}, which has {length} lines"


def global_state(module: Source) -> Iterator[Fault]:
    for node in module.nodes:
        if isinstance(node, ast.Global):
            yield node.lineno, f"`global {', '.join(node.names)}`: give the state to an object"


def test_there_is_no_global_state() -> None:
    must_hold(global_state, modules())


def private_pytest(module: Source) -> Iterator[Fault]:
    for node in module.nodes:
        for name in imported_by(node):
            if name.split(".")[0] == "_pytest":
                yield getattr(node, "lineno", 0), f"{name} is private to pytest: use what `pytest` exports"


def test_pytest_is_used_by_its_public_names() -> None:
    must_hold(private_pytest, modules())


def empty_name(module: Source) -> Iterator[Fault]:
    if module.stem in {"utils", "util", "common", "helpers", "helper", "misc"}:
        yield 1, f"{module.stem!r} does not say what the module holds"


def test_a_file_is_named_for_what_it_holds() -> None:
    must_hold(empty_name, modules())


@pytest.mark.parametrize(
    ("rule", "module", "found"),
    [
        (first_line, Source("x.py", '"""Two words"""\n'), [(1, "the module opens with 'Two words'")]),
        (first_line, Source("x.py", "x = 1\n"), [(1, "the module opens with ''")]),
        (length, Source("x.py", "x\n" * 250), []),
        (length, Source("x.py", "x\n" * 251), [(251, "the module has 251 lines, and may have 250")]),
        (length, Source("pytest_tsexport/plugin/hooks.py", "x\n" * 150), []),
        (length, Source("pytest_tsexport/plugin/hooks.py", "x\n" * 151), [(151, "the module has 151 lines")]),
        (global_state, Source("x.py", "def f():\n    global x, y\n    x = 1\n"), [(2, "`global x, y`")]),
        (global_state, Source("x.py", "'global x'\n"), []),
        (private_pytest, Source("x.py", "def f():\n    import _pytest.nodes\n"), [(2, "_pytest.nodes is private")]),
        (private_pytest, Source("x.py", "import os\nfrom _pytest import nodes\n"), [(2, "_pytest is private")]),
        (private_pytest, Source("x.py", "import pytest\nfrom . import _pytests\n"), []),
        (empty_name, Source("plugin/utils.py", ""), [(1, "'utils' does not say")]),
        (empty_name, Source("utils/plugin.py", ""), []),
    ],
)
def test_each_rule_sees_what_it_is_for(rule: Rule, module: Source, found: list[Fault]) -> None:
    seen = list(rule(module))
    assert [line for line, _ in seen] == [line for line, _ in found]
    assert all(sentence.startswith(start) for (_, sentence), (_, start) in zip(seen, found, strict=True))


BROAD = frozenset({"Exception", "BaseException"})


def broad(module: Source) -> Iterator[ast.ExceptHandler]:
    """Handlers of everything."""
    for node in module.nodes:
        if isinstance(node, ast.ExceptHandler):
            caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            if any(kind is None or ast.unparse(kind) in BROAD for kind in caught):
                yield node


def without_reason(module: Source) -> list[int]:
    """The lines of broad handlers that have no reason beside them.

    A handler that ends with a bare `raise` only cleans up, and needs none. One of `BaseException` must be such a one,
    or stand after `except INTERRUPTS: raise`.
    """
    lines, after = module.text.splitlines(), after_interrupts(module)
    handlers = ((node, lines[node.lineno - 1]) for node in broad(module))
    return [node.lineno for node, line in handlers if not is_explained(node, line, after=node in after)]


def after_interrupts(module: Source) -> set[ast.ExceptHandler]:
    """The handlers that interrupts cannot reach, because one before them raises them again."""
    tries = (node.handlers for node in module.nodes if isinstance(node, ast.Try) and node.handlers)
    return {
        handler
        for first, *others in tries
        if ast.unparse(first) == "except INTERRUPTS:\n    raise"
        for handler in others
    }


def is_explained(node: ast.ExceptHandler, line: str, *, after: bool) -> bool:
    last = node.body[-1]
    if isinstance(last, ast.Raise) and last.exc is None:
        return True
    reason = line.partition("#")[2].replace("noqa", "").strip()
    narrow = node.type is not None and "BaseException" not in ast.unparse(node.type)
    return len(reason.split()) >= 3 and (narrow or (after and node.type is not None))


def broad_handlers(module: Source) -> Iterator[Fault]:
    for line in without_reason(module):
        yield line, "say in a comment on this line why anything may be raised"


def test_a_broad_except_says_why() -> None:
    must_hold(broad_handlers, modules())


@pytest.mark.parametrize(
    ("handler", "found"),
    [
        ("except Exception:\n  x = 1", [3]),
        ("except Exception:  # a model may raise anything\n  x = 1", []),
        ("except (ValueError, Exception):\n  x = 1", [3]),
        ("except:\n  x = 1", [3]),
        ("except:  # a model may raise anything\n  x = 1", [3]),
        ("except BaseException:  # a model may raise anything\n  x = 1", [3]),
        ("except BaseException:\n  x = 1\n  raise", []),
        ("except INTERRUPTS:\n  raise\nexcept BaseException:  # a model may raise anything\n  x = 1", []),
        ("except INTERRUPTS:\n  raise\nexcept BaseException:\n  x = 1", [5]),
        ("except INTERRUPTS:\n  x = 1\nexcept BaseException:  # a model may raise anything\n  x = 1", [5]),
        ("except ValueError:\n  raise\nexcept BaseException:  # a model may raise anything\n  x = 1", [5]),
        ("except ValueError:\n  x = 1", []),
    ],
)
def test_the_rule_of_broad_handlers_sees_what_it_is_for(handler: str, found: list[int]) -> None:
    assert [line for line, _ in broad_handlers(Source("x.py", f"try:\n  pass\n{handler}"))] == found
