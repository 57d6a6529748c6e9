"""package -> names: exactly the public names, and none of them loads torch before it is used."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

import pytest_tsexport
from pytest_tsexport import errors

WITHOUT_ERRORS = {"Export", "Outcome", "Subject", "Verdict", "guard", "untie", "validate"}
ERRORS = {name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)}


def test_these_are_the_public_names() -> None:
    assert set(pytest_tsexport.__all__) == WITHOUT_ERRORS | ERRORS
    assert list(pytest_tsexport.__all__) == sorted(pytest_tsexport.__all__)


def test_each_of_them_is_there_and_has_a_docstring() -> None:
    names = pytest_tsexport.__all__
    assert [name for name in names if not getattr(pytest_tsexport, name).__doc__] == []


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_name"):
        getattr(pytest_tsexport, "no_such_name")  # noqa: B009


def test_importing_the_package_loads_nothing_heavy() -> None:
    source = "import sys, pytest_tsexport; print(*sorted({'torch', 'transformers', 'hypothesis'} & set(sys.modules)))"
    answer = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == ""


def test_errors_have_one_root() -> None:
    module = importlib.import_module("pytest_tsexport.errors")
    assert all(issubclass(getattr(module, name), module.TsExportError) for name in ERRORS)
