"""`python -m pytest_tsexport verify FILE STATEMENT`: was this very file judged, and did it pass? Loads no torch.

Exit code 0: yes. 1: no, and one sentence says why. 2: the command was wrong.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Sequence
from pathlib import Path

from pytest_tsexport.config.digest import sha256_of
from pytest_tsexport.config.names import CHECKS
from pytest_tsexport.reports.verification import what_passed, why_refused

PROGRAM = "python -m pytest_tsexport"


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code; the answer is printed, a refusal to stderr."""
    given = _parser().parse_args(arguments)
    try:
        sha256, statement = sha256_of(given.file), given.statement.read_bytes()
    except OSError as error:
        return _say(f"{error.filename} cannot be read ({error.strerror}); give FILE and STATEMENT as files", code=2)
    why = why_refused(statement, sha256, given.require)
    if why is not None:
        return _say(f"{given.file}: {why}", code=1)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # the name of a file may be no text of its encoding
    sys.stdout.write(f"{given.file} ({sha256[:12]}) {what_passed(statement, sha256)}\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=PROGRAM, description="Answers questions about judged files.")
    commands = parser.add_subparsers(required=True, metavar="verify")
    verify = commands.add_parser("verify", help="say whether a statement shows that a file was judged and passed")
    verify.add_argument("file", metavar="FILE", type=Path, help="the exported file")
    verify.add_argument("statement", metavar="STATEMENT", type=Path, help="what --ts-report=x.intoto.json wrote")
    verify.add_argument(
        "--require", metavar="CHECK", type=_checks, action="extend", default=[], help="checks that must have passed"
    )
    return parser


def _checks(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    unknown = next((name for name in names if name not in CHECKS), None)
    if unknown is not None:
        raise argparse.ArgumentTypeError(f"{unknown!r} is no check; use one of {', '.join(CHECKS)}")
    return names


def _say(sentence: str, *, code: int) -> int:
    sys.stderr.write(f"{sentence}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
