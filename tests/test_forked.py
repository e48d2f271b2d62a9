"""A program that is forked is as one that is started: what it is given, what it says, how it ends."""

import json
import os
import signal
import subprocess
import sys

import pytest

from tests import forked
from tests.live import LiveServer

SAYS = """
import json, os, sys
print("not a word of this is lost", file=sys.stderr)
given = [sys.argv[1:], sys.orig_argv[1:], os.getcwd(), sys.path[0], os.environ, sys.stdin.read(), __name__]
print(json.dumps([*map(str, given[:4]), sorted(given[4]), *given[5:], os.getpid()]))
sys.exit(7)
"""


@pytest.fixture
def program(tmp_path):
    (tmp_path / "program.py").write_text(SAYS)
    return tmp_path / "program.py"


def test_it_is_given_what_a_program_is_given_and_ends_as_it_likes(program):
    folder, environment = program.parent.parent, {"ONLY": "this", "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, str(program), "a", "b"]
    started = subprocess.run(
        command, input="grüezi", cwd=folder, env=environment, capture_output=True, text=True
    )

    done = forked.run(command, input="grüezi", cwd=folder, env=environment, timeout=20)

    assert (done.returncode, done.stderr) == (started.returncode, started.stderr) == (7, started.stderr)
    own, others = json.loads(done.stdout), json.loads(started.stdout)
    # Python itself sets what the locale is.
    own[4], others[4] = ([name for name in names if name != "LC_CTYPE"] for names in (own[4], others[4]))
    assert own[:-1] == others[:-1]
    assert own[-1] != os.getpid()


def test_one_that_takes_too_long_is_ended(program):
    program.write_text("import time\ntime.sleep(60)")

    with pytest.raises(subprocess.TimeoutExpired):
        forked.run([sys.executable, str(program)], cwd=program.parent, env={}, timeout=0.1)


def test_a_signal_is_how_it_ended_and_then_nothing_more_is_sent():
    with LiveServer() as server:
        assert server.process.poll() is None
        with pytest.raises(subprocess.TimeoutExpired):
            server.process.wait(0.01)

        server.process.kill()

        assert server.process.wait(20) == server.process.poll() == -signal.SIGKILL
        server.process.terminate()


def test_an_interpreter_of_its_own_is_for_those_who_ask_for_it():
    servers = [
        LiveServer(flags=("-I",)),
        LiveServer(environment={"PYTHONWARNINGS": "error"}),
        LiveServer(environment={"PYTHONUNBUFFERED": ""}),
        LiveServer(),
    ]

    assert [server.may_be_forked for server in servers] == [False, False, False, True]
    for server in servers:
        server.directory.cleanup()
