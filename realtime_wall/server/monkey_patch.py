"""Is this process patched by gevent, and in time? And how to start it again so that it is."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from gevent import monkey

PATCHED = Path(__file__).with_name("run_patched.py")


def is_patched() -> bool:
    return bool(monkey.is_module_patched("socket") and monkey.is_module_patched("threading"))


def is_patched_too_late() -> bool:
    """Whether Django was imported before the patches: its greenlets then share database connections."""
    from django.db import connections
    from gevent.local import local

    # asgiref keeps what belongs to a thread in a threading.local of the time at which it was made.
    storage = getattr(getattr(connections, "_connections", None), "_storage", None)
    return is_patched() and not isinstance(storage, local)


def command_line() -> list[str]:
    """This process's command line again, by way of run_patched.py: interpreter flags and path kept."""
    program, flags = _program_and_flags(sys.orig_argv, len(sys.argv) - 1)
    if program[0] != "-m":
        program = [os.path.abspath(program[0])]
    return [sys.executable, *flags, str(PATCHED), sys.path[0], *program, *sys.argv[1:]]


def _program_and_flags(argv: list[str], arguments: int) -> tuple[list[str], list[str]]:
    """Split the interpreter's own command line at the program: a script, or -m and a module."""
    at = len(argv) - arguments - 1
    if (joined := _MODULE_FLAG.fullmatch(argv[at])) and joined["module"]:  # -mdjango
        return ["-m", joined["module"]], [*argv[1:at], *_other_flags(joined)]
    if (apart := _MODULE_FLAG.fullmatch(argv[at - 1])) and not apart["module"]:  # -m django
        return ["-m", argv[at]], [*argv[1 : at - 1], *_other_flags(apart)]
    return [argv[at]], argv[1:at]


# -m, alone or at the end of flags of one letter, and perhaps its module in the same word.
_MODULE_FLAG = re.compile(r"-(?P<flags>[A-VY-Za-ln-z]*)m(?P<module>.*)")


def _other_flags(match: re.Match[str]) -> list[str]:
    return [f"-{match['flags']}"] if match["flags"] else []


def start_again() -> None:
    """Replace this process by a patched one. Does not return."""
    sys.stdout.flush()
    sys.stderr.flush()
    command = command_line()
    os.execv(command[0], command)
