"""The validator of `--ts-report`: files to write, each of a kind that its suffix names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pytest_tsexport.config.names import REPORTS
from pytest_tsexport.config.validators import Given, folder, path

STATEMENT = ".intoto.json"
"""The suffix of the statement, which a deployment believes."""


def report_files(given: Given) -> tuple[Path, ...]:
    """Files to write. Their folders are made now: later, an error would come after the work of a whole run."""
    each = [replace(given, value=text) for text in given.value]
    for one in each:
        if kind_of(path(one)) is None:
            raise one.refusal(f"give a file that ends in {' or '.join(REPORTS)}")
        try:
            is_folder = path(one).is_dir()
        except OSError as error:
            raise one.refusal(f"no file can have that name ({error.strerror}); give another") from None
        if is_folder:
            raise one.refusal("that is a folder; give a file")
        folder(replace(one, value=path(one).parent))
    return tuple(path(one) for one in each)


def kind_of(file: Path) -> str | None:
    """The suffix in `REPORTS` that the name ends with, the longest if there are several."""
    return max((suffix for suffix in REPORTS if file.name.endswith(suffix)), key=len, default=None)
