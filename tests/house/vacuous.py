"""Finds assertions that hold for an empty collection, and so may never have checked anything.

Refused in tests are `assert all(...)`, `assert not any(...)`, `assert [... if ...] == []`, and assertions that stand
in loops only, unless their collection is a constant or the test asserts something about it elsewhere.
"""

import ast
from collections.abc import Iterator

from tests.house.source_tree import Module

Function = ast.FunctionDef | ast.AsyncFunctionDef


def vacuous_assertions(module: Module) -> Iterator[str]:
    if not module.floor.endswith("tests"):
        return
    tests = (function for function in module.functions() if function.name.startswith(("test_", "assert_", "check_")))
    for function in tests:
        for line, collection in _collections(function):
            if not _is_never_empty(collection) and not _is_asserted_elsewhere(function, collection, line):
                yield f"{module.path}:{line}: {function.name} passes if {ast.unparse(collection)} is empty"


def _collections(function: Function) -> Iterator[tuple[int, ast.expr]]:
    for node in ast.walk(function):
        if isinstance(node, ast.Assert) and (comprehension := _comprehension(node.test)):
            yield node.lineno, comprehension.generators[0].iter
    asserts = [node for node in ast.walk(function) if isinstance(node, ast.Assert)]
    loops = [node for node in ast.walk(function) if isinstance(node, ast.For | ast.AsyncFor)]
    in_loops = {one for loop in loops for one in ast.walk(loop) if isinstance(one, ast.Assert)}
    if in_loops and not set(asserts) - in_loops:
        yield from ((loop.lineno, loop.iter) for loop in loops)


def _comprehension(test: ast.expr) -> ast.GeneratorExp | ast.ListComp | None:
    """The one of `all(...)`, `not any(...)`, and `[...] == []` with a filter."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return _comprehension_of_call(test.operand, "any")
    if isinstance(test, ast.Compare) and isinstance(test.left, ast.ListComp):
        is_filter = test.left.generators[0].ifs and ast.unparse(test.comparators[0]) == "[]"
        return test.left if is_filter else None
    return _comprehension_of_call(test, "all")


def _comprehension_of_call(node: ast.expr, name: str) -> ast.GeneratorExp | None:
    is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name
    if is_call and isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.GeneratorExp):
        return node.args[0]
    return None


def _is_never_empty(collection: ast.expr) -> bool:
    """A literal, a range, a constant, or an enum, also inside a call or an attribute."""
    if isinstance(collection, ast.List | ast.Tuple | ast.Set | ast.Dict):
        return True
    if isinstance(collection, ast.Call) and ast.unparse(collection.func) == "range":
        return True
    return any(name[0].isupper() for name in _names(collection))


def _is_asserted_elsewhere(function: Function, collection: ast.expr, line: int) -> bool:
    """Also by a name that is assigned from the collection."""
    names = _names(collection)
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and _names(node.value) & names:
            names |= {name for target in node.targets for name in _names(target)}
    asserts = (node for node in ast.walk(function) if isinstance(node, ast.Assert) and node.lineno != line)
    return any(_names(node) & names for node in asserts)


def _names(tree: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
