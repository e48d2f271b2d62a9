"""What does the source of the package say? Each file is read and parsed once, for all tests that ask."""

import ast
from functools import cache
from pathlib import Path
from typing import NamedTuple

PACKAGE = Path(__file__).parent.parent / "realtime_wall"
PATHS = sorted(PACKAGE.rglob("*.py"))


def module_name(path):
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {module_name(path): path for path in PATHS}


class Source(NamedTuple):
    """What tests ask of one file. Its tree is not kept: all of them are too much to hold."""

    lines: int
    is_empty: bool
    has_docstring: bool
    imports: tuple  # every module, ours by the file that it is in
    classes: tuple  # of the file itself, not of its functions
    functions: tuple  # (name, lines)
    names: frozenset  # of the file, functions, classes, parameters, variables, attributes


@cache
def read(path):
    text = path.read_text()
    tree = ast.parse(text)
    nodes = list(ast.walk(tree))
    return Source(
        len(text.splitlines()),
        not tree.body,
        ast.get_docstring(tree) is not None,
        tuple(imported for node in nodes for imported in _imported(node)),
        tuple(node.name for node in tree.body if isinstance(node, ast.ClassDef)),
        tuple((node.name, _lines(node)) for node in nodes if isinstance(node, FUNCTIONS)),
        frozenset([path.stem, *(name for node in nodes for name in _named(node))]),
    )


FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def _lines(node):
    return (node.end_lineno or 0) - node.lineno + 1


def _imported(node):
    match node:
        case ast.Import(names=names):
            for alias in names:
                yield alias.name
        case ast.ImportFrom(module=module, names=names, level=level):
            assert level == 0, f"from {'.' * level}{module or ''} import ...: imports are absolute"
            for alias in names:
                inside = f"{module}.{alias.name}"
                yield inside if inside in FILES else module


def _named(node):
    match node:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.arg(arg=name):
            yield name
        case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
            yield name
        case ast.alias(asname=str(name)):
            yield name
