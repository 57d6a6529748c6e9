"""The validation suite: the model types of the installed Transformers, each made tiny and judged as any model is.

`pytest --pyargs pytest_tsexport.suite` collects this module.
"""

from __future__ import annotations

import pytest

from pytest_tsexport.plugin.settings import SETTINGS, Settings
from pytest_tsexport.suite.selection import Architecture, selected
from pytest_tsexport.suite.tiny.model import tiny_model

# What Transformers warns of at each of 600 types is not what is judged here.
pytestmark = pytest.mark.filterwarnings("ignore")


MOST_CASES = 40
SECONDS = 15
"""What one model type of 600 may cost; `--ts-max-examples` and `--ts-budget` change it."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One subject for each architecture that the options name."""
    options = metafunc.config.stash.get(SETTINGS, Settings()).options  # there are none yet if no option is given
    metafunc.parametrize("architecture", [pytest.param(one, id=one.name) for one in selected(options)])


@pytest.mark.torchscript(max_examples=MOST_CASES, budget=SECONDS)
def test_architecture(architecture: Architecture) -> object:
    """A tiny model of this architecture."""
    return tiny_model(architecture.model_type, architecture.head)
