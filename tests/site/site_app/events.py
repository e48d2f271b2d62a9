import asyncio
import contextlib
import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone, translation
from gevent.event import Event

from realtime_wall import InvalidMessage, Refuse, connected_sockets, publish
from realtime_wall.events import (
    on_connect,
    on_disconnect,
    on_error,
    on_event,
    on_finish,
    on_message,
    on_subscribe,
)
from site_app import middleware

seen = []  # what the receivers noticed, for "seen"
lives = defaultdict(list)  # the same for each session, for "life"
gate = Event()  # "enter" waits until somebody opens it


class NoEvent:
    data = None


@on_event(name="at first")
def at_first(request, socket, context, event):
    return context["first"]


@on_connect
def connected(request, socket, context):
    if request.GET.get("refuse"):
        raise Refuse({"why": request.GET["refuse"]})
    context["events"] = 0
    context["first"] = surroundings(request, socket, context, NoEvent)
    seen.append("connected")
    lives[socket.id].append("connected")


@on_disconnect
def disconnected(request, socket, context):
    seen.append("disconnected")
    lives[socket.id].append("disconnected")
    time.sleep(context.get("linger", 0))


@on_finish
def finished(request, socket, context):
    seen.append("finished")
    lives[socket.id].append("finished")
    print("finished", socket.id, lives[socket.id].count("disconnected"), file=sys.stderr)


@on_error
def failed(request, socket, context, exception):
    seen.append(f"error {exception}")


@on_message
def echo(request, socket, context, message):
    lives[socket.id].append("message")
    socket.send(message)


@on_subscribe
def subscribed(request, socket, context, channel):
    return not channel.startswith("private")


@on_event(name="add")
def add(request, socket, context, event):
    return sum(event.data)


@on_event(name="who")
def who(request, socket, context, event):
    return {"user": str(request.user), "host": request.META["HTTP_HOST"], "get": request.GET.dict()}


@on_event(name="powers")
def powers(request, socket, context, event):
    return [request.user.is_staff, sorted(request.user.get_all_permissions())]


@on_event(name="session")
def session(request, socket, context, event):
    return request.session.get("name")


@on_event(name="count users")
def count_users(request, socket, context, event):
    return User.objects.count()


@on_event(name="await users")
async def await_users(request, socket, context, event):
    await asyncio.sleep(0.001)
    return [await User.objects.acount(), str(request.user)]


@on_event(name="surroundings")
def surroundings(request, socket, context, event):
    said = [
        translation.get_language(),
        str(timezone.get_current_timezone()),
        middleware.visitor.get("nobody"),
    ]
    if event.data:
        translation.activate(event.data)
        middleware.visitor.set(event.data)
    return said


@on_event(name="garbage collector")
def garbage_collector(request, socket, context, event):
    return [gc.get_freeze_count(), gc.get_threshold()[2]]


@on_event(name="save session")
def save_session(request, socket, context, event):
    request.session[event.data] = "by a receiver"
    request.session.save()


@on_event(name="session items")
def session_items(request, socket, context, event):
    return dict(request.session.items())


@on_event(name="fail")
def fail(request, socket, context, event):
    raise ValueError(event.data)


@on_event(name="wait")
def wait(request, socket, context, event):
    time.sleep(event.data)
    return event.data


@on_event(name="block")
def block(request, socket, context, event):
    until = time.monotonic() + event.data
    while time.monotonic() < until:
        pass


@on_event(name="others")
def others(request, socket, context, event):
    receipt = socket.broadcast_emit("news", event.data)
    return receipt.sockets


@on_event(name="seen")
def what_was_seen(request, socket, context, event):
    return seen


@on_event(name="life")
def life(request, socket, context, event):
    return lives.get(event.data)


@on_event(name="linger")
def linger(request, socket, context, event):
    context["linger"] = event.data


@on_event(name="kick")
def kick(request, socket, context, event):
    session_id, code, reason = event.data
    connected_sockets.get(session_id).disconnect(code, reason)


@on_event(name="publish")
def publish_for(request, socket, context, event):
    data = event.data.pop("data") * event.data.pop("times", 1)
    try:
        return str(publish(data=data, **event.data))
    except InvalidMessage as problem:
        return f"{type(problem).__name__}: {problem}"


@on_event(name="broadcast")
def broadcast_for(request, socket, context, event):
    return socket.broadcast(event.data).position


@on_event(name="enter")
def enter(request, socket, context, event):
    gate.clear()
    return gate.wait(20)


@on_event(name="open")
def open_gate(request, socket, context, event):
    gate.set()


@on_event(name="count")
def count(request, socket, context, event):
    context["events"] += 1
    return context["events"]


@on_event(name="users")
def users(request, socket, context, event):
    time.sleep(0.01)  # so that several are at it at once
    return User.objects.count()


@on_event(name="databases")
def databases(request, socket, context, event):
    """How many connections this process has to its database file."""
    files = [os.path.realpath(f"/proc/self/fd/{number}") for number in os.listdir("/proc/self/fd")]
    return files.count(os.path.realpath(connection.settings_dict["NAME"]))


@on_event(name="atomic")
def atomic(request, socket, context, event):
    return connection.in_atomic_block


@on_event(name="fork")
def forked(request, socket, context, event):
    """Publishes, forks in the same turn of the event loop, and publishes in the child."""
    publish("news", "from the parent")
    pid = os.fork()
    if pid == 0:
        try:
            publish("news", "from the child")
            time.sleep(0.05)
        finally:
            os._exit(subprocess.run([sys.executable, "-c", "exit(7)"]).returncode)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@on_event(name="multiprocessing")
def by_multiprocessing(request, socket, context, event):
    publish("news", "from the parent")
    process = multiprocessing.get_context("fork").Process(target=publish, args=("news", "from the child"))
    process.start()
    process.join()
    return process.exitcode


@on_event(name="child")
def has_child(request, socket, context, event):
    """Starts a child that goes on for long; which sockets and locks it has."""
    pid = context["child"] = CHILDREN[event.data]()
    found = []
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # of one that it opens and closes as it begins
            found.append(os.readlink(descriptor))
    return [one for one in found if one.startswith("socket:") or one.endswith(".lock")]


def _child_of_fork():
    ready, begun = os.pipe()
    if (pid := os.fork()) == 0:
        os.write(begun, b"begun")
        time.sleep(60)
        os._exit(0)
    os.read(ready, 5)
    return pid


def _child_of_multiprocessing():
    ready, begun = multiprocessing.get_context("fork").Pipe(duplex=False)
    child = multiprocessing.get_context("fork").Process(target=_go_on, args=(begun,))
    child.start()
    ready.recv()
    return child.pid


def _go_on(begun):
    begun.send("begun")
    time.sleep(60)


def _child_of_subprocess():
    command = [sys.executable, "-Sc", "import time; print('begun', flush=True); time.sleep(60)"]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, close_fds=False)
    child.stdout.readline()
    return child.pid


CHILDREN = {
    "os.fork": _child_of_fork,
    "multiprocessing": _child_of_multiprocessing,
    "subprocess": _child_of_subprocess,
}


@on_event(name="terminate")
def terminated(request, socket, context, event):
    os.kill(context["child"], signal.SIGTERM)
    return os.waitstatus_to_exitcode(os.waitpid(context["child"], 0)[1])
