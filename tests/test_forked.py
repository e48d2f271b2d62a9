"""A program that is forked is as one that is started: what it is given, what it says, how it ends."""

import json
import os
import select
import signal
import subprocess
import sys

import pytest

from tests import forked
from tests.live import PATIENCE, ROOT, LiveServer

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


STARTS = """
import os, subprocess, sys
from tests.forked import Forked
pipe = {"stdin": subprocess.DEVNULL, "stdout": sys.stdout, "stderr": sys.stderr}
program = Forked([sys.executable, sys.argv[1]], patched=False, cwd=".", env={}, **pipe)
print(program.pid, flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("ignores", ["", "signal.signal(signal.SIGTERM, signal.SIG_IGN)"])
def test_a_program_ends_with_the_tests_however_they_end(program, ignores):
    # In one write: print() makes two, and between them may come what the other one says.
    program.write_text(f"import os, signal\n{ignores}\nos.write(1, b'runs\\n')\nsignal.pause()")
    command = [sys.executable, "-c", STARTS, str(program)]
    tests = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    words = {tests.stdout.readline().strip(), tests.stdout.readline().strip()}
    (pid,) = map(int, words - {"runs"})
    program = os.pidfd_open(pid)

    tests.kill()
    tests.communicate()

    assert select.select([program], [], [], PATIENCE) == ([program], [], [])
    os.close(program)


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
