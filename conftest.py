"""Where every test of this repository starts."""

from __future__ import annotations

import importlib
import os

# Before transformers is imported: nothing here may ask the network for a checkpoint.
os.environ["HF_HUB_OFFLINE"] = "1"

# Eagerly, though only some tests need them: pytester restores `sys.modules` after each in-process run, so a module that
# is first imported inside one is imported again by the next, and torch cannot be imported twice in one process
# ("function '_has_torch_function' already has a docstring"). `modeling_utils` is what a first model would load.
import torch
import transformers
from hypothesis import settings

importlib.import_module("transformers.modeling_utils")

pytest_plugins = ["pytester"]

# One thread a process: the models are tiny, and two xdist workers on two cores would otherwise fight over them.
torch.set_num_threads(1)
transformers.utils.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()

# A first call into torch takes longer than the 200 ms that hypothesis allows an example. In CI hypothesis starts from
# its own derandomised profile; `--hypothesis-profile=explore` looks much harder.
settings.register_profile("repository", settings.default, deadline=None)
settings.register_profile("explore", settings.default, deadline=None, max_examples=2000, derandomize=False)
settings.load_profile("repository")
