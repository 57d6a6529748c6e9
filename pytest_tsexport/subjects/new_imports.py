"""What modules set in the process while they are imported, as their source says.

A module is imported once in a process. What it sets then would be missing for the next subject if it were put back, and
would be told of the first one alone.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

SET_BY: Mapping[str, tuple[str, ...]] = {
    "torch's default dtype": ("set_default_dtype", "set_default_tensor_type"),
    "torch's default device": ("set_default_device", "set_default_tensor_type"),
    "grad mode": ("set_grad_enabled",),
    "autocast on the CPU": ("set_autocast_enabled", "set_autocast_cpu_enabled"),
    "the debug mode of deterministic algorithms": ("use_deterministic_algorithms", "set_deterministic_debug_mode"),
    "torch's float32 precision": ("set_float32_matmul_precision", "fp32_precision", "allow_tf32"),
    "flushing of denormal numbers": ("set_flush_denormal",),
    "anomaly detection of autograd": ("set_detect_anomaly",),
    "the number of global hooks of modules": (
        "register_module_forward_pre_hook",
        "register_module_forward_hook",
        "register_module_backward_hook",
        "register_module_full_backward_pre_hook",
        "register_module_full_backward_hook",
    ),
    "torch.backends.mkldnn.enabled": ("mkldnn.enabled", "mkldnn.set_flags"),
    "torch.backends.cudnn.enabled": ("cudnn.enabled", "cudnn.set_flags"),
    "flash attention": ("enable_flash_sdp",),
    "memory-efficient attention": ("enable_mem_efficient_sdp",),
    "math attention": ("enable_math_sdp",),
    "the number of torch's threads": ("set_num_threads",),
}
"""The functions that are called, or the attributes that are set, to change a setting, by its name."""

SIMPLE = (ast.Expr, ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Return)
LATER = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def set_by_imports(modules: Iterable[str], setting: str) -> bool:
    """Whether one of these modules sets it where its code runs at the import: not in a function that it only defines.

    The functions that it calls by their name are read too, and those of other modules are not.
    """
    words = SET_BY.get(setting, ())
    sources = (source for source in map(_source, modules) if any(word.rpartition(".")[2] in source for word in words))
    return any(name.endswith(words) for source in sources for name in _used(source))


def variable_set_by_imports(modules: Iterable[str], name: str) -> bool:
    """Whether the source of one of these modules sets or removes the environment variable, anywhere in it."""
    quoted = rf"['\"]{re.escape(name)}['\"]"
    written = re.compile(
        rf"environ\s*\[\s*{quoted}\s*\]\s*=(?!=)|del\s+[\w.]*environ\s*\[\s*{quoted}"
        rf"|environ\s*\.\s*(?:setdefault|pop)\(\s*{quoted}|(?:putenv|unsetenv)\(\s*{quoted}"
        rf"|environ\s*(?:\.\s*update\([^)]*?|\|=[^\n]*?)\b{re.escape(name)}\b"
    )
    return any(written.search(source) for source in map(_source, modules))


def _used(source: str) -> Iterator[str]:
    """What is called and assigned in statements that run when the module is imported."""
    with suppress(SyntaxError):
        tree = ast.parse(source)
        functions = {one.name: one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef)}
        waiting, seen = list[ast.AST](tree.body), set[str]()
        while waiting:
            node = waiting.pop()
            if isinstance(node, SIMPLE):
                found = [_text(one) for one in _now(node) if isinstance(one, (ast.Call, ast.Attribute))]
                yield from found
                called = {name for name in found if name in functions} - seen
                seen |= called
                waiting += [statement for name in called for statement in functions[name].body]
            elif not isinstance(node, LATER):
                waiting += ast.iter_child_nodes(node)


def _now(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a statement, without those of a lambda, which runs later if at all."""
    yield node
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, LATER):
            yield from _now(child)


def _text(node: ast.Call | ast.Attribute) -> str:
    """The name of what is called, or of what is set; an attribute that is only read has none."""
    if isinstance(node, ast.Call):
        return ast.unparse(node.func)
    return ast.unparse(node) if isinstance(node.ctx, ast.Store) else ""


def _source(module: str) -> str:
    """Empty for a module without a Python file."""
    with suppress(OSError):
        file = getattr(sys.modules.get(module), "__file__", None) or ""
        return Path(file).read_text(encoding="utf-8", errors="replace") if file.endswith(".py") else ""
    return ""
