"""What no test may do, as it passes nearly always."""

import ast
from pathlib import Path

TESTS = Path(__file__).parent


def is_expression(argument):
    """A text that is no JavaScript function; of what a name stands for nothing is known here."""
    if isinstance(argument, ast.JoinedStr):
        argument = argument.values[0]
    return isinstance(argument, ast.Constant) and "=>" not in argument.value


def test_what_a_page_is_waited_for_is_a_function():
    """An expression is evaluated anew at each look; a page with a policy forbids that from the second on."""
    found = [
        f"{path.relative_to(TESTS)}:{node.lineno}"
        for path in TESTS.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and getattr(node.func, "attr", "") == "wait_for_function"
        and is_expression(node.args[0])
    ]

    assert found == []
