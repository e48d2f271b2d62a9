"""Python with gevent, Django and this package imported, which forks for each program that a test starts.

To import them is two thirds of what a server's or a command's start costs, and tests start hundreds.
What a program does from its first line on is its own: settings, apps, signals, sockets and its end.
Run by tests/forked.py: ``python fork_server.py patched|plain``, with a socket as its standard input.
"""

import sys

if __name__ == "__main__":
    del sys.path[0]  # this folder: it has a ``typing``

import _socket
import array
import contextlib
import gc
import importlib
import json
import os
import posix
import runpy
import signal
from select import POLLIN, poll  # before gevent's patches: a fork has no event loop

# No module of these asks for settings, and none is of an app that a site may do without.
EVERYWHERE = (
    "django.contrib.admin",
    "django.contrib.messages.middleware",
    "django.contrib.sessions.middleware",
    "django.core.management.commands.migrate",
    "django.core.management.commands.runserver",
    "django.core.management.commands.shell",
    "django.db.backends.sqlite3.base",
    "realtime_wall.checks",
    "realtime_wall.cluster",
)
IN_A_SERVER = (
    "realtime_wall.channel_urls",
    "realtime_wall.server.run",
    "realtime_wall.server.workers.supervisor",
)
TIME_TO_END = 2000  # milliseconds


def next_program(requests):
    """The next program's command line, in the process that is to run it."""
    while True:
        request, descriptors = receive(requests)
        if not request and not descriptors:  # the tests are over
            wait_for_keepers(0)
            posix._exit(0)
        if posix.fork() == 0:
            return begin(json.loads(request), requests, descriptors)
        for descriptor in descriptors:
            posix.close(descriptor)
        wait_for_keepers(posix.WNOHANG)


def receive(requests):
    size = array.array("i").itemsize
    length = _socket.CMSG_SPACE(5 * size)
    request, ancillary, _, _ = requests.recvmsg(1 << 20, length)
    descriptors = array.array("i")
    for _, _, data in ancillary:
        descriptors.frombytes(data[: len(data) - len(data) % size])
    if descriptors:
        with open(descriptors[-1], "rb", closefd=False) as file:  # its last is the request, of any length
            request = file.read()
    return request, list(descriptors)


def wait_for_keepers(how):
    """So that the times of all are known in the end."""
    try:
        while posix.waitpid(-1, how) != (0, 0):
            pass
    except ChildProcessError:
        pass


def begin(request, requests, descriptors):
    """Keep a process: say its pid, and how it ended. Returns in that process, which becomes the program."""
    reply = _socket.socket(fileno=descriptors[3])
    requests.close()
    if pid := posix.fork():
        for descriptor in (0, 1, 2, *descriptors[:3], descriptors[4]):
            posix.close(descriptor)
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)  # of the group: it ends with the program
        reply.send(b"%d\n" % pid)
        end_with_the_tests(pid)
        with contextlib.suppress(BrokenPipeError):  # nobody is left to be told
            reply.send(b"%d\n" % os.waitstatus_to_exitcode(posix.waitpid(pid, 0)[1]))
        posix._exit(0)
    for descriptor, standard in zip(descriptors[:3], range(3), strict=True):
        posix.dup2(descriptor, standard)
    for descriptor in descriptors:
        posix.close(descriptor)
    reply.detach()
    posix.close(TESTS)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    return request["command"]


def end_with_the_tests(pid):
    """Wait for the end of the program, or of the tests: an interrupted one ends none of its servers."""
    program = os.pidfd_open(pid)
    either, alone = poll(), poll()
    either.register(program, POLLIN)
    either.register(TESTS, POLLIN)
    alone.register(program, POLLIN)
    if program in [descriptor for descriptor, _ in either.poll()]:
        return
    signal.pidfd_send_signal(program, signal.SIGTERM)
    if not alone.poll(TIME_TO_END):
        signal.pidfd_send_signal(program, signal.SIGKILL)


def become(command):
    """What Python makes of such a command line before it runs the program."""
    sys.orig_argv[:] = command
    sys.argv[:] = command[1:]
    folders = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
    others = [path for path in sys.path if path not in OWN_PATH]
    sys.path[:] = [os.path.dirname(os.path.abspath(command[1])), *folders, *others]
    sys.path_importer_cache.clear()
    sys.dont_write_bytecode = bool(os.environ.get("PYTHONDONTWRITEBYTECODE"))


if __name__ == "__main__":
    TESTS = os.pidfd_open(os.getppid())
    OWN_PATH = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    names = EVERYWHERE
    if sys.argv[1] == "patched":
        from gevent import monkey

        monkey.patch_all()
        names += IN_A_SERVER
    for name in names:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    become(next_program(_socket.socket(fileno=os.dup(0))))
    runpy.run_path(sys.argv[0], run_name="__main__")
