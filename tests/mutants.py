"""Break one rule at a time, and see whether the tests of the rules notice.

    make mutants            every module of the rules
    .venv/bin/python -m tests.mutants floor.py people.py:60

A mutant is one small change to the syntax tree of one module: a comparison turned, a condition
negated, a guard left out, a number off by one, a member not replaced, a power taken away. Each
gets a process of its own, forked from one that has imported everything, so that a mutant costs
milliseconds; there the changed code takes the place of the code of the very same functions.
Written for this project because nothing has to be installed for it, and because the rules are
tables, `match` and `replace` as much as expressions, which other tools hardly touch.
"""

from __future__ import annotations

import ast
import importlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

CORE = Path(__file__).parents[1] / "src/peermeet/core"
RULES = (
    "decide.py apart.py draft.py evolve.py fit.py floor.py hearing.py notices.py order.py"
    " people.py phases.py powers.py timing.py"
).split()
TESTS = Path(__file__).parent / "core"
LIMIT_S = 60
"""A mutant that takes longer has been noticed: it does not come to an end."""

TURNED: dict[type[ast.AST], type[ast.AST]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
}
SWAPPED = {"min": "max", "max": "min", "any": "all", "all": "any"}

Change = tuple[int, str, Callable[[], None]]
"""The line, what is different, and how to make it so."""


def parts(node: ast.AST) -> Iterator[tuple[ast.AST, str, int, ast.AST]]:
    """Every node below this one with its place in its parent, but for types and assertions."""
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list"):
            continue
        for at, child in enumerate(value if isinstance(value, list) else [value]):
            if isinstance(child, ast.AST) and not isinstance(child, ast.Assert):
                yield node, name, at, child
                yield from parts(child)


def changes(tree: ast.AST) -> Iterator[Change]:
    """Every small change to this tree; making one spoils the others."""
    for parent, name, at, node in parts(tree):
        line = getattr(node, "lineno", getattr(parent, "lineno", 0))
        for what, new in instead(parent, name, node):
            yield line, what, putting(parent, name, at, new)
        yield from omissions(node)


def putting(node: ast.AST, name: str, at: int, new: ast.AST) -> Callable[[], None]:
    def put() -> None:
        value = getattr(node, name)
        if isinstance(value, list):
            value[at] = new
        else:
            setattr(node, name, new)

    return put


def dropping(items: list[Any], at: int, *more: list[Any]) -> Callable[[], None]:
    def drop() -> None:
        for each in (items, *more):
            del each[at]

    return drop


def instead(parent: ast.AST, name: str, node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """What this node may be replaced by."""
    kind = type(node)
    if kind in TURNED:
        yield f"{kind.__name__} → {TURNED[kind].__name__}", TURNED[kind]()
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield "without not", node.operand
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield f"{node.value} → {not node.value}", ast.Constant(not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int):
        yield f"{node.value} → {node.value + 1}", ast.Constant(node.value + 1)
    elif isinstance(node, ast.Attribute) and ast.unparse(node.value) == "Code":
        other = "NOT_ALLOWED" if node.attr != "NOT_ALLOWED" else "CIRCLE_ENDED"
        yield f"{node.attr} → {other}", ast.Attribute(node.value, other, node.ctx)
    elif isinstance(node, ast.Name) and node.id in SWAPPED and isinstance(parent, ast.Call):
        yield f"{node.id} → {SWAPPED[node.id]}", ast.Name(SWAPPED[node.id], node.ctx)
    if name == "test" and not isinstance(node, ast.UnaryOp):
        yield "condition negated", ast.UnaryOp(ast.Not(), node)  # type: ignore[arg-type]
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call | ast.Yield):
        if not ast.unparse(node).startswith("assert_never"):
            yield f"without {ast.unparse(node)[:50]}", ast.Pass()


def omissions(node: ast.AST) -> Iterator[Change]:
    """What this node may do without."""
    if isinstance(node, ast.comprehension):
        for at, test in enumerate(node.ifs):
            yield test.lineno, f"without if {ast.unparse(test)}", dropping(node.ifs, at)
    elif isinstance(node, ast.match_case) and node.guard is not None:
        guard = node.guard
        yield guard.lineno, f"without if {ast.unparse(guard)}", lambda: setattr(node, "guard", None)
    elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("replace", "m.TurnEnded"):
        for at, keyword in enumerate(node.keywords):
            if keyword.arg is not None:
                what = f"without {keyword.arg}="
                yield keyword.value.lineno, what, dropping(node.keywords, at)
    elif isinstance(node, ast.Dict) and None not in node.keys:
        for at, key in enumerate(node.keys):
            if key is not None:
                what = f"without {ast.unparse(key)}"
                yield key.lineno, what, dropping(node.keys, at, node.values)
    elif isinstance(node, ast.Tuple | ast.Set) and len(node.elts) > 1:
        if isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
            for at, item in enumerate(node.elts):
                yield item.lineno, f"without {ast.unparse(item)[:40]}", dropping(node.elts, at)


@cache
def source(path: Path) -> str:
    """The module as it was when it was imported, whoever writes to it meanwhile."""
    return path.read_text()


def mutants_of(path: Path, line: int | None) -> list[tuple[int, int, str]]:
    """The number, the line and the description of each mutant of a module."""
    found = enumerate(changes(ast.parse(source(path))))
    return [(n, at, what) for n, (at, what, _) in found if line is None or at == line]


def mutate(path: Path, number: int) -> None:
    """Put a mutant in the place of the module that is imported already."""
    tree = ast.parse(source(path))
    list(changes(tree))[number][2]()
    module = sys.modules[f"peermeet.core.{path.stem}"]
    mutant = ModuleType(module.__name__)
    exec(compile(ast.fix_missing_locations(tree), str(path), "exec"), mutant.__dict__)
    for name, new in vars(mutant).items():
        old = vars(module).get(name)
        if isinstance(new, FunctionType) and isinstance(old, FunctionType):
            take_code(old, new)
        elif isinstance(new, type) and isinstance(old, type) and new.__module__ == module.__name__:
            for member, value in vars(new).items():
                take_code(vars(old).get(member), value)
        elif isinstance(new, dict) and isinstance(old, dict) and not name.startswith("__"):
            old.clear()
            old.update(new)
        elif isinstance(new, int | frozenset | tuple):
            # A constant: whoever imported it has it by the same name.
            for other in list(sys.modules.values()):
                if getattr(other, "__name__", "").startswith(("peermeet.core", "tests.core")):
                    if vars(other).get(name) == old:
                        setattr(other, name, new)


def take_code(old: Any, new: Any) -> None:
    if isinstance(new, property) and isinstance(old, property):
        old, new = old.fget, new.fget
    if isinstance(new, FunctionType) and isinstance(old, FunctionType):
        if old.__module__ == new.__module__:
            old.__code__ = new.__code__
            old.__defaults__ = new.__defaults__
            old.__kwdefaults__ = new.__kwdefaults__


def stories() -> list[Callable[[], None]]:
    """The tests of the rules, cheapest first; they need nothing of pytest but parameters.

    Each is run once, so all of them pass without a mutant.
    """
    names = sorted(p.stem for p in TESTS.glob("test_*.py") if p.stem != "test_runsheet")
    found: list[Callable[[], None]] = []
    for name in names:
        module = importlib.import_module(f"tests.core.{name}")
        for key, test in vars(module).items():
            if key.startswith("test_"):
                found += each_case(test)
    lasted = [seconds(test) for test in found]
    return [found[at] for at in sorted(range(len(found)), key=lasted.__getitem__)]


def seconds(test: Callable[[], None]) -> float:
    began = time.monotonic()
    test()
    return time.monotonic() - began


def each_case(test: Any) -> list[Callable[[], None]]:
    """The test itself, or one for each of its parameters."""
    cases = [test]
    for mark in getattr(test, "pytestmark", ()):
        assert mark.name == "parametrize", f"{test.__name__} needs something of pytest"
        names = [name.strip() for name in mark.args[0].split(",")]
        rows = [row if len(names) > 1 else (row,) for row in mark.args[1]]
        cases = [partial(c, **dict(zip(names, row, strict=True))) for c in cases for row in rows]
    return cases


def survives(tests: list[Callable[[], None]], path: Path, number: int) -> bool:
    """Whether every test passes with this mutant in place."""
    child = os.fork()
    if child == 0:
        try:
            mutate(path, number)
            for test in tests:
                test()
        except BaseException:
            os._exit(1)
        os._exit(0)
    until = time.monotonic() + LIMIT_S
    while time.monotonic() < until:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status == 0
        time.sleep(0.005)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


def main(wanted: list[str]) -> int:
    os.environ |= {"PEERMEET_HURRIED": "1", "PEERMEET_STEPS": os.environ.get("STEPS", "2500")}
    tests = stories()
    jobs = []
    for one in wanted or RULES:
        name, _, line = one.partition(":")
        path = CORE / name
        jobs += [(path, *each) for each in mutants_of(path, int(line) if line else None)]
    alive: dict[str, int] = {}
    with ThreadPoolExecutor(int(os.environ.get("JOBS", "2"))) as pool:
        tried = pool.map(lambda job: survives(tests, job[0], job[1]), jobs)
        for (path, _, at, what), survived in zip(jobs, tried, strict=True):
            if survived:
                alive[path.name] = alive.get(path.name, 0) + 1
                text = source(path).splitlines()[at - 1].strip()
                sys.stdout.write(f"{path.name}:{at}: {what}\n    {text}\n")
                sys.stdout.flush()
    for name in dict.fromkeys(path.name for path, *_ in jobs):
        count = sum(path.name == name for path, *_ in jobs)
        sys.stdout.write(f"{name}: {count - alive.get(name, 0)} of {count} noticed\n")
    killed = len(jobs) - sum(alive.values())
    share = 100 * killed / max(1, len(jobs))
    sys.stdout.write(f"{killed} of {len(jobs)} noticed: {share:.1f} %\n")
    return 0 if share >= 95 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
