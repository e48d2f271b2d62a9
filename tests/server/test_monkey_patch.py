import subprocess
import sys
import textwrap

import pytest

from realtime_wall.server import monkey_patch
from tests.live import PATIENCE, ROOT

PYTHON = "/usr/bin/python3"


@pytest.mark.parametrize(
    ("original", "program", "flags"),
    [
        (["manage.py", "rungevent"], ["manage.py"], []),
        (["/srv/site/manage.py", "rungevent", "8000"], ["/srv/site/manage.py"], []),
        (["-u", "manage.py", "rungevent"], ["manage.py"], ["-u"]),
        (["-W", "error", "-X", "dev", "manage.py", "rungevent"], ["manage.py"], ["-W", "error", "-X", "dev"]),
        (["-Xdev", "-Werror", "manage.py", "rungevent", "-v", "2"], ["manage.py"], ["-Xdev", "-Werror"]),
        (["-W", "ignore::ImportWarning:m", "manage.py"], ["manage.py"], ["-W", "ignore::ImportWarning:m"]),
        (["-m", "django", "rungevent"], ["-m", "django"], []),
        (["-um", "django", "rungevent"], ["-m", "django"], ["-u"]),
        (["-mdjango", "rungevent"], ["-m", "django"], []),
        (["-uBmdjango", "rungevent"], ["-m", "django"], ["-uB"]),
        (["-X", "dev", "-m", "django", "rungevent", "-m"], ["-m", "django"], ["-X", "dev"]),
        (["m", "rungevent"], ["m"], []),
    ],
)
def test_a_command_line_is_split_at_its_program(original, program, flags):
    arguments = len(original) - original.index("rungevent") if "rungevent" in original else 0

    assert monkey_patch._program_and_flags([PYTHON, *original], arguments) == (program, flags)


def test_the_new_command_line_leads_through_the_patches(monkeypatch):
    monkeypatch.setattr(sys, "orig_argv", [PYTHON, "-X", "dev", "manage.py", "rungevent", "8000"])
    monkeypatch.setattr(sys, "argv", ["manage.py", "rungevent", "8000"])
    monkeypatch.setattr(sys, "path", ["/srv/site", "/usr/lib/python3"])
    monkeypatch.chdir("/usr")

    assert monkey_patch.command_line() == [
        sys.executable,
        "-X",
        "dev",
        str(monkey_patch.PATCHED),
        "/srv/site",
        "/usr/manage.py",
        "rungevent",
        "8000",
    ]


def test_this_process_was_patched_in_time():
    assert monkey_patch.is_patched()
    assert not monkey_patch.is_patched_too_late()


def run(program):
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    ).stdout.split()


def test_a_process_without_patches_is_known():
    assert run(
        """
        from realtime_wall.server import monkey_patch
        print(monkey_patch.is_patched(), monkey_patch.is_patched_too_late())
        """
    ) == ["False", "False"]


def test_a_process_with_some_patches_is_known():
    assert run(
        """
        from gevent import monkey
        monkey.patch_socket()
        from realtime_wall.server import monkey_patch
        print(monkey_patch.is_patched())
        """
    ) == ["False"]


@pytest.mark.parametrize(("first", "late"), [("django.db", "True"), ("sys", "False")])
def test_patches_after_django_are_known(first, late):
    assert run(
        f"""
        import {first}
        from gevent import monkey
        monkey.patch_all()
        from realtime_wall.server import monkey_patch
        print(monkey_patch.is_patched_too_late())
        """
    ) == [late]
