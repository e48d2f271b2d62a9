"""The commands of the docs, as somebody types them while a server runs."""

import contextlib
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import load_command_class

from tests.browser import ExampleServer
from tests.live import PATIENCE, ROOT
from tests.test_docs import blocks

# In front of a line; the folder and its files are tried in test_docs_in_browser.py.
ELSEWHERE = ("pip install realtime-wall", "django-admin startproject", "cd ", "python manage.py startapp")
ENDLESS = ("rungevent", "realtime tail", "realtime record")  # these are only read
RECORDED = '{"channel": "tweets", "event": null, "data": "Welcome", "time": "2026-11-25T18:30:00+00:00"}\n'
ADVICE = "Keep it: it cannot be shown again.\n"  # not among what is piped
APPS = {"rungevent": "realtime_wall", "realtime": "realtime_wall"}


def commands():
    for block in blocks("shell"):
        (code,) = block.values
        for line in typed(code.replace("\\\n", "").splitlines()):
            if line.strip() and not line.startswith(ELSEWHERE):
                yield re.sub(r"\s+", " ", line)


def typed(lines):
    """As a shell reads them: a line goes on where it ends inside quotes."""
    begun = ""
    for line in lines:
        begun += f"\n{line}" if begun else line
        with contextlib.suppress(ValueError):
            shlex.split(begun, comments=True)
            yield begun
            begun = ""
    assert not begun, f"a quote is not closed: {begun}"


def is_endless(line):
    return any(f"manage.py {command}" in line for command in ENDLESS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where somebody types: a site is there, and a recording."""
    folder = tmp_path_factory.mktemp("shell")
    (folder / "manage.py").symlink_to(ROOT / "example_wall/manage.py")
    (folder / "event.jsonl").write_text(RECORDED)
    return folder


@pytest.fixture(scope="module")
def server():
    settings = {"SOURCES": ["webhook"], "WEBHOOK_SECRET": "a secret of the docs, long enough"}
    server = ExampleServer("example_wall", wall=settings)
    server.environment["WEBHOOK_SECRET"] = settings["WEBHOOK_SECRET"]
    server.environment["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    assert server.manage("migrate", "--verbosity", "0").returncode == 0
    # The first is for the docs to revoke, before they use what they call TOKEN.
    _, server.environment["TOKEN"] = (made_token(server, name) for name in ("revoked", "used"))
    with server:
        yield server


def made_token(server, name):
    return server.manage("api_token", "make", name).stdout.strip()


@pytest.mark.parametrize("line", list(dict.fromkeys(line for line in commands() if not is_endless(line))))
def test_a_command_of_the_docs_does_what_it_says(line, server, folder):
    here = re.sub(r"http://127.0.0.1:8000/|https://wall.example/wall/", server.url, line)
    if "DELETE" in line:  # in the docs it is there by then
        assert server.manage("realtime", "publish", "news", "hello").returncode == 0

    run = subprocess.run(
        ["bash", "-c", here.replace("curl ", "curl --silent --show-error --fail ")],
        cwd=folder,
        env=server.environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE * 2,
    )

    assert (run.returncode, run.stderr.replace(ADVICE, "")) == (0, ""), run.stdout


@pytest.mark.parametrize("line", list(dict.fromkeys(filter(is_endless, commands()))))
def test_a_command_of_the_docs_without_an_end_is_understood(line):
    words = shlex.split(line.split(" > ")[0], comments=True)
    name, *arguments = words[words.index("manage.py") + 1 :]

    command = load_command_class(APPS[name], name)

    assert command.create_parser("manage.py", name).parse_args(arguments)
