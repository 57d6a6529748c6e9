"""Hostile models, files, exporters and marked functions, as the source of the tests that hand them to the plugin."""

from __future__ import annotations

from typing import NamedTuple


class Hostile(NamedTuple):
    """One hostile subject: its source, and how `trace` and `parity` end.

    `source` is the body of `forward`, of an exporter, of a class or of the marked function, as `kind` says. An end
    is an outcome and the beginning of its headline. What `parity` says follows from `trace` if it is not given.
    """

    kind: str
    source: str
    trace: str
    parity: str = ""

    @property
    def ends(self) -> dict[str, str]:
        """How each check ends."""
        follows = "not run: the model does not export" if self.trace.startswith("failed") else self.trace
        return {"trace": self.trace, "parity": self.parity or follows}


AFTER = 3
"""After so many hostile subjects there is one that is right."""

FORWARD = """
class {name}(nn.Module):
    def forward(self, x):
        {source}
        return x * 2

@pytest.mark.torchscript(inputs=ROWS)
def test_{name}():
    return {name}()
"""
MODEL = """
class {name}(Base):
    {source}

@pytest.mark.torchscript(inputs=ROWS)
def test_{name}():
    return {name}()
"""
FUNCTION = """
@pytest.mark.torchscript(inputs=ROWS)
def test_{name}():
    {source}
    return Doubles()
"""
VANISHES = """
class {name}(nn.Module):
    def forward(self, x):
        for path in FILES:
            path.unlink(missing_ok=True)
        return x * 2

def save_{name}(model, inputs, path):
    save(model, inputs, path)
    {source}

@pytest.mark.torchscript(inputs=ROWS, export=save_{name})
def test_{name}():
    return {name}()
"""
EXPORTER = """
def {name}(model, inputs, path):
    {source}

@pytest.mark.torchscript(inputs=ROWS, export={name})
def test_{name}():
    return Doubles()
"""
THEN = """
@pytest.mark.torchscript(inputs=ROWS)
def test_{name}_then():
    return Doubles()
"""
KINDS = {"forward": FORWARD, "model": MODEL, "function": FUNCTION, "exporter": EXPORTER, "vanishes": VANISHES}

HEAD = """
import copy, ctypes, os, shutil, signal, sys, tempfile, threading, time, zipfile
from pathlib import Path
import pytest, torch
from torch import nn
from specimens import Doubles

ROWS = {"x": torch.linspace(-1, 1, 6).reshape(2, 3)}
C = ctypes.CDLL(None)
FILES = []

def save(model, inputs, path):
    torch.jit.save(torch.jit.trace(model, (inputs["x"],)), path)

def deep():
    return deep()

def eats():
    kept = []
    while True:
        kept.append(torch.ones(1 << 22))

def members(path):
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(1000):
            archive.writestr(f"x/code/{number}.py", "pass")

class Base(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.linspace(-1, 1, 9).reshape(3, 3))

    def forward(self, x):
        return x @ self.weight

def bomb(path):
    # One compressed block that forty members share: less than a MiB that unpacks to gigabytes.
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("x/code/x.py", bytes(1 << 26))
        archive.filelist += [copy.copy(archive.filelist[0]) for _ in range(40)]

class Unshown(Exception):
    def __str__(self):
        raise ValueError("no text")

class Equal:
    def __eq__(self, other):
        raise ValueError("not comparable")

    def __hash__(self):
        raise ValueError("not hashable")

class RunsCode:
    def __reduce__(self):
        return os._exit, (9,)
"""


def source(subjects: dict[str, Hostile]) -> str:
    """The test file: the hostile subjects, and after every few of them one that is right."""
    parts = []
    for number, (name, one) in enumerate(subjects.items(), 1):
        parts.append(KINDS[one.kind].format(name=name, source=one.source))
        if number % AFTER == 0:
            parts.append(THEN.format(name=name))
    return HEAD + "".join(parts)


def _each(kind: str, rows: dict[str, tuple[str, ...]]) -> dict[str, Hostile]:
    return {name: Hostile(kind, *row) for name, row in rows.items()}


FORWARDS = _each(
    "forward",
    {
        "segfaults": (
            "ctypes.string_at(0)",
            "crashed: the process was killed by signal 11 (SIGSEGV) while it exported",
        ),
        "exits": ("os._exit(0)", "crashed: SystemExit: os._exit(0)"),
        "exits_in_c": ("C._exit(0)", "crashed: the process ended with exit status 0 while it exported"),
        "kills_itself": (
            "os.kill(os.getpid(), 9)",
            "crashed: the process was killed by signal 9 (SIGKILL) while it exported",
        ),
        "aborts": ("os.abort()", "crashed: the process was killed by signal 6 (SIGABRT) while it exported"),
        "eats_memory": ("eats()", "crashed: the process used more than 512 MiB while it exported, and was killed"),
        "raises_system_exit": ("sys.exit(3)", "crashed: SystemExit: 3"),
        "raises_keyboard_interrupt": ("raise KeyboardInterrupt", "crashed: KeyboardInterrupt, without a message"),
        "raises_generator_exit": ("raise GeneratorExit", "crashed: GeneratorExit, without a message"),
        "recurses": (
            "deep()",
            "not run: recurses does not run on its inputs (x (2, 3)): maximum recursion depth exceeded",
        ),
        "raises_memory_error": (
            "raise MemoryError",
            "not run: raises_memory_error does not run on its inputs (x (2, 3)): MemoryError, without a message",
        ),
        "raises_stop_iteration": (
            "raise StopIteration",
            "not run: raises_stop_iteration does not run on its inputs (x (2, 3)): StopIteration, without a message",
        ),
        "raises_unshown": (
            "raise Unshown",
            "not run: raises_unshown does not run on its inputs (x (2, 3)): Unshown, whose message cannot be shown",
        ),
        "raises_a_long_text": (
            "raise ValueError('long ' * 100000)",
            "not run: raises_a_long_text does not run on its inputs (x (2, 3)): long long",
        ),
        "raises_lines": (
            "raise ValueError('\\nfirst\\nsecond\\x1b[31m')",
            "not run: raises_lines does not run on its inputs (x (2, 3)): first second [31m",
        ),
        "forks": ("FILES or (FILES.append(1), os.fork())", "passed"),
        "starts_a_thread": ("threading.Thread(target=time.sleep, args=(900,)).start()", "passed"),
        "starts_a_process": ("os.system('sleep 900 &')", "passed"),
        "closes_its_output": ("os.closerange(1, 3)", "passed"),
        "closes_stdout": ("sys.stdout.close(), sys.stderr.close()", "passed"),
        "has_no_stdout": ("sys.stdout = sys.stderr = None", "passed"),
        "closes_every_file": (
            "os.closerange(3, 4096)",
            "crashed: the process ended with exit status 1 while it exported",
        ),
        "changes_folder": ("os.chdir('/')", "passed"),
        "removes_the_temporary_folder": (
            "shutil.rmtree(tempfile.gettempdir(), ignore_errors=True)",
            "failed: what was exported was removed before it could be loaded",
        ),
        "changes_umask": ("os.umask(0o777)", "passed"),
        "ignores_signals": ("[signal.signal(n, signal.SIG_IGN) for n in (1, 2, 10, 12, 14, 15)]", "passed"),
        "replaces_trace": ("torch.jit.trace = torch.jit.save = None", "failed: the model cannot be exported"),
        "replaces_functions": ("torch.equal = torch.allclose = torch.isclose = lambda *_, **__: True", "passed"),
        "sets_the_default_dtype": ("torch.set_default_dtype(torch.float64)", "passed"),
        "sets_the_default_device": ("torch.set_default_device('meta')", "passed"),
        "clears_the_environment": ("os.environ.clear()", "passed"),
        "unloads_modules": (
            "[sys.modules.pop(n) for n in list(sys.modules) if n.startswith('pytest_tsexport')]",
            "crashed: the process ended with exit status 1 while it exported",
        ),
        "forbids_recursion": ("sys.setrecursionlimit(300)", "passed"),
        "returns_itself": (
            "return self",
            "not run: returns_itself returns a value that cannot be exported: output itself is a returns_itself",
        ),
        "returns_nothing": (
            "return None",
            "not run: returns_nothing returns no tensor for its inputs, so there is nothing to compare",
        ),
        "returns_a_loop": (
            "loop = [x]; loop.append(loop); return loop",
            "not run: returns_a_loop returns a value that cannot be exported: it holds itself",
        ),
        "returns_odd_names": ("return {'a\\nb': x * 2, 3: x * 3, None: x}", "passed"),
        "returns_a_lot": (
            "return x.sum() + torch.zeros(1 << 22)",
            "crashed: the process used more than 512 MiB while it",
        ),
        "returns_a_generator": (
            "return (one for one in x)",
            "not run: returns_a_generator returns a value that cannot be exported: output itself is a generator",
        ),
        "returns_what_cannot_be_compared": (
            "return x * 2, Equal()",
            "not run: returns_what_cannot_be_compared returns a value that cannot be exported: output 1 is a Equal",
        ),
        "changes_its_input": (
            "x.zero_()",
            "passed",
            "failed: nothing to compare: its outputs do not move when its inputs do, so any export would pass",
        ),
        "resizes_its_input": (
            "x.resize_(0)",
            "passed",
            "failed: nothing to compare: its outputs do not move when its inputs do, so any export would pass",
        ),
    },
)
MODELS = _each(
    "model",
    {
        "has_mutable_defaults": (
            "def forward(self, x, seen=[]):\n        seen.append(1)\n        return x * len(seen)",
            "failed: eager's answers to two equal calls differ, so no export can equal it",
            "failed: differs from eager at the traced size",
        ),
        "getattr_raises": (
            "def __getattr__(self, name):\n        if name != 'weight':\n            raise ValueError(name)\n"
            "        return super().__getattr__(name)",
            "not run: getattr_raises cannot be copied (__deepcopy__)",
        ),
        "deepcopy_says_nothing": (
            "def __deepcopy__(self, memo):\n        raise ValueError",
            "not run: deepcopy_says_nothing cannot be copied (ValueError)",
        ),
        "deepcopy_raises": (
            "def __deepcopy__(self, memo):\n        raise ValueError('no copy')",
            "not run: deepcopy_raises cannot be copied (no copy)",
        ),
        "deepcopy_returns_nothing": (
            "def __deepcopy__(self, memo):\n        return None",
            "not run: deepcopy_returns_nothing cannot be copied (its copy is a NoneType)",
        ),
        "eq_raises": (
            "def __eq__(self, other):\n        raise ValueError('no eq')\n    __hash__ = nn.Module.__hash__",
            "passed",
        ),
        "hash_raises": ("def __hash__(self):\n        raise ValueError('no hash')", "crashed: ValueError: no hash"),
        "repr_raises": ("def __repr__(self):\n        raise ValueError('no repr')", "passed"),
        "repr_is_long": ("def __repr__(self):\n        return 'long ' * 1000000", "passed"),
        "property_raises": (
            "@property\n    def config(self):\n        raise ValueError('no config')",
            "failed: the model cannot be exported",
        ),
        "bool_raises": ("def __bool__(self):\n        raise ValueError('no truth')", "passed"),
        "length_raises": ("def __len__(self):\n        raise ValueError('no length')", "passed"),
        "iter_never_ends": ("def __iter__(self):\n        return iter(int, 1)", "passed"),
        "state_dict_raises": ("def state_dict(self, *_, **__):\n        raise ValueError('no state')", "passed"),
        "train_returns_nothing": ("def train(self, mode=True):\n        super().train(mode)", "passed"),
        "train_raises": (
            "def train(self, mode=True):\n        raise ValueError('no mode')",
            "crashed: ValueError: no mode",
        ),
        "named_parameters_raises": (
            "def named_parameters(self, *_, **__):\n        raise ValueError('none')",
            "crashed: ValueError: none",
        ),
        "modules_never_end": (
            "def named_modules(self, *_, **__):\n        raise GeneratorExit",
            "crashed: GeneratorExit, without a message",
        ),
        "reduce_raises": (
            "def __reduce_ex__(self, how):\n        raise ValueError('no pickle')",
            "not run: reduce_raises cannot be copied (no pickle)",
        ),
        "del_raises": ("def __del__(self):\n        raise ValueError('no end')", "passed"),
        "setattr_raises": (
            "def __setattr__(self, name, value):\n        if name == 'training' and 'weight' in self._parameters:\n"
            "            raise ValueError(name)\n        super().__setattr__(name, value)",
            "crashed: ValueError: training",
        ),
        "drops_its_weight": (
            "def forward(self, x):\n        del self.weight\n        return x * 2",
            "passed",
            "failed: only 0 of 22 cases could be judged, fewer than 10",
        ),
        "signature_lies": ("__signature__ = property(lambda self: 1 / 0)", "failed: the model cannot be exported"),
        "class_lies": ("__class__ = property(lambda self: int)", "passed"),
    },
)
FUNCTIONS = _each(
    "function",
    {
        "function_segfaults": (
            "ctypes.string_at(0)",
            "crashed: the process was killed by signal 11 (SIGSEGV) while it called test_function_segfaults",
        ),
        "function_exits": ("os._exit(0)", "no verdict: Failed: SystemExit: os._exit(0)"),
        "function_raises_system_exit": ("sys.exit(3)", "no verdict: Failed: SystemExit: 3"),
        "function_raises_keyboard_interrupt": (
            "raise KeyboardInterrupt",
            "crashed: KeyboardInterrupt, without a message",
        ),
        "function_raises_unshown": (
            "raise Unshown",
            "no verdict: Failed: test_export.Unshown: <exception str() failed>",
        ),
        "function_returns_a_class": (
            "return Doubles",
            "not run: a type is no model; return an nn.Module, or (module, inputs)",
        ),
        "function_returns_three": (
            "return Doubles(), ROWS, 3",
            "not run: a tuple is no model; return an nn.Module, or (module, inputs)",
        ),
        "function_returns_inputs_of_nothing": (
            "return Doubles(), {}",
            "not run: inputs are given twice: as inputs= and beside the module; give them once",
        ),
        "function_removes_its_folder": ("os.chdir(tempfile.mkdtemp()); os.rmdir(os.getcwd())", "passed"),
        "function_sets_no_threads": ("threading.Thread.start = None", "passed"),
        "function_stops_time": ("time.monotonic = time.thread_time = lambda: 0.0", "passed"),
        "model_holds_itself": (
            "model = Doubles(); model.me = model; return model",
            "crashed: RecursionError: maximum recursion depth exceeded while calling a Python object",
        ),
        "class_has_lines": (
            "return type('A\\nB\\x1b[31m', (Doubles,), {})()",
            "failed: what was exported cannot be loaded: RuntimeError: Unexpected token in code import: ident:",
        ),
        "parameters_are_views": (
            "model = Base(); whole = torch.rand(4, 3); model.weight = nn.Parameter(whole[:3]);"
            " model.bias = nn.Parameter(whole[0]); return model",
            "passed",
        ),
        "hook_raises": (
            "model = Doubles(); model.register_forward_hook(lambda *_: 1 / 0); return model",
            "not run: Doubles does not run on its inputs (x (2, 3)): division by zero",
        ),
        "attribute_cannot_be_compared": ("model = Doubles(); model.odd = Equal(); return model", "passed"),
        "weight_is_on_meta": (
            "return Base().to('meta')",
            "not run: weight of Base is on the meta device, without values; load its weights",
        ),
    },
)
EXPORTERS = _each(
    "exporter",
    {
        "exporter_segfaults": (
            "ctypes.string_at(0)",
            "crashed: the process was killed by signal 11 (SIGSEGV) while it exported",
        ),
        "exporter_exits": (
            "os._exit(0)",
            "crashed: SystemExit: os._exit(0)",
            "not run: the model does not export (SystemExit: os._exit(0))",
        ),
        "exporter_raises_unshown": ("raise Unshown", "failed: the model cannot be exported"),
        "writes_nothing": (
            "pass",
            "failed: export wrote no file at the path it was given (test_export.py-test_writes_nothing-jit.pt)",
        ),
        "writes_an_empty_file": (
            "path.touch()",
            "failed: what was exported is not a TorchScript archive; write it again with torch.jit.save",
        ),
        "writes_a_folder": (
            "path.mkdir()",
            "failed: export wrote no file at the path it was given (test_export.py-test_writes_a_folder-jit.pt)",
        ),
        "writes_a_fifo": (
            "os.mkfifo(path)",
            "failed: export wrote no file at the path it was given (test_export.py-test_writes_a_fifo-jit.pt)",
        ),
        "writes_a_link_to_itself": (
            "path.symlink_to(path)",
            "failed: export wrote no file at the path it was given (test_export.py-",
        ),
        "writes_a_link_to_a_device": (
            "path.symlink_to('/dev/zero')",
            "failed: export wrote no file at the path it was given (test_export.py-",
        ),
        "writes_a_huge_hole": (
            "path.touch(); os.truncate(path, 1 << 40)",
            "failed: what was exported is not a TorchScript archive; write it again with torch.jit.save",
        ),
        "writes_half_a_file": (
            "save(model, inputs, path); os.truncate(path, path.stat().st_size // 2)",
            "failed: what was exported is truncated: its archive has no end; write it again with torch.jit.save",
        ),
        "writes_a_bomb": (
            "bomb(path)",
            "failed: what was exported has 0.3 MiB that unpack to 2624 MiB; write it again with torch.jit.save",
        ),
        "writes_many_members": (
            "members(path)",
            'failed: what was exported cannot be loaded: RuntimeError: Expected hasRecord("version")',
        ),
        "writes_a_pickle": ("torch.save({'x': RunsCode()}, path)", "failed: the model cannot be exported"),
        "writes_a_pickle_as_code": (
            "save(model, inputs, path);"
            " zipfile.ZipFile(path, 'a').writestr(f'{path.stem}/traced_inputs.pkl', b'cos\\n_exit\\n(I9\\ntR.')",
            "passed",
        ),
        "removes_its_folder": (
            "shutil.rmtree(path.parent)",
            "failed: export wrote no file at the path it was given (test_export.py-test_removes_its_folder-jit.pt)",
        ),
        "keeps_the_file_open": ("save(model, inputs, path); FILES.append(path.open('ab'))", "passed"),
        "returns_something": ("save(model, inputs, path); return Equal()", "passed"),
    },
)

FILES_THAT_VANISH = _each(
    "vanishes",
    {
        "loses_its_file": ("FILES.append(path)", "failed: what was exported was removed before it could be loaded"),
    },
)

HANGS = {
    "function_waits": Hostile(
        "function", "threading.Event().wait()", "too slow: the process gave no sign of life for 6.1 s"
    ),
    "waits_for_a_fifo": Hostile(
        "exporter", "os.mkfifo(path); path.read_bytes()", "too slow: the process gave no sign of life for 6.1 s"
    ),
    "sleeps_in_c": Hostile(
        "forward",
        "[signal.signal(n, signal.SIG_IGN) for n in (2, 10, 15)]; ctypes.PyDLL(None).sleep(900)",
        "too slow: the process gave no sign of life for 6.1 s",
    ),
}
"""What never ends. Each takes six seconds of the clock, and no CPU time."""

OTHERS = MODELS | FUNCTIONS | EXPORTERS | FILES_THAT_VANISH
