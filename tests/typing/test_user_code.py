"""What a user's type checker says of user_code.py, without our settings and plug-ins: for ``make prove``."""

import json
import os
import subprocess
import sys

import pytest

from tests.live import ROOT

CODE = ROOT / "tests/typing/users/user_code.py"
DECORATED = ("enter", "heard", "say", "add", "log", "connected", "Say")
SIGNATURES = {
    "enter": ("socket: Socket", "context: dict[str, Any]"),
    "heard": ("message: object", "str"),
    "say": ("message: Say", "bool"),
    "add": ("event: Event", "int"),
    "log": ("published: Published",),
    "connected": ("sender: Socket", "request: HttpRequest"),
    "Say": ("Say",),
}


@pytest.fixture
def folder(tmp_path):
    """A user's folder: their code, and the package where a checker finds it."""
    (tmp_path / "packages").mkdir()
    (tmp_path / "packages/realtime_wall").symlink_to(ROOT / "realtime_wall")
    revealed = "".join(f"reveal_type({name})\n" for name in DECORATED)
    (tmp_path / "user_code.py").write_text(f"{CODE.read_text()}\n\n{revealed}")
    settings = {"extraPaths": ["packages"], "typeCheckingMode": "strict", "pythonVersion": "3.11"}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps({**settings, "include": ["user_code.py"]}))
    return tmp_path


def mypy(folder):
    command = ["-m", "mypy", "--strict", "--follow-imports=silent", "--cache-dir", "cache", "user_code.py"]
    return run(folder, command, {"MYPYPATH": "packages"})


def pyright(folder):
    return run(folder, ["-m", "pyright", "--pythonpath", sys.executable], {})


def run(folder, command, environment):
    return subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=600,
    )


@pytest.mark.prove
@pytest.mark.parametrize("checker", [mypy, pyright], ids=lambda checker: checker.__name__)
def test_a_users_code_has_no_error_and_keeps_its_signatures(checker, folder):
    done = checker(folder)

    assert done.returncode == 0, done.stdout + done.stderr
    revealed = [line for line in done.stdout.splitlines() if "Type of" in line or "Revealed type" in line]
    assert len(revealed) == len(DECORATED), done.stdout
    for name, line in zip(DECORATED, revealed, strict=True):
        bare = line.replace("realtime_wall.sockets.socket.", "").replace("realtime_wall.events.", "")
        bare = bare.replace("user_code.", "").replace("django.http.request.", "")
        assert all(part in bare for part in SIGNATURES[name]), line
        assert "Unknown" not in line and "*Any" not in line
