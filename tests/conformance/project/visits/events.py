"""Receivers for every way in which a client and a server can talk."""

from collections import defaultdict

import gevent

from realtime_wall import (
    NoSocket,
    Refuse,
    broadcast_call,
    broadcast_emit,
    connected_sockets,
    publish,
    send,
)
from realtime_wall.events import on_connect, on_disconnect, on_event, on_finish, on_message, on_subscribe
from realtime_wall.sockets.client_session import session_of

told = defaultdict(list)  # by id: what happened to a visit


@on_connect
def arrived(request, socket, context):
    auth = socket.auth
    if "refuse" in auth:
        raise Refuse(auth["refuse"])
    context["connects"] = context.get("connects", 0) + 1
    told[socket.id].append("recovered" if socket.recovered else "connected")
    for channel in auth.get("join", ()):
        socket.subscribe(channel)
    if "greet" in auth:
        socket.emit("greeting", auth["greet"])


@on_disconnect
def went(request, socket, context):
    told[socket.id].append("disconnected")


@on_finish
def finished(request, socket, context):
    told[socket.id].append("finished")


@on_subscribe
def may_hear(request, socket, context, channel):
    return not channel.startswith("private")


@on_message
def echo(request, socket, context, message):
    socket.send(message)


@on_event(name="echo")
def acknowledge(request, socket, context, event):
    event.ack(*event.args)


@on_event(name="back")
def back(request, socket, context, event):
    socket.emit("back", *event.args)


@on_event(name="give")
def give(request, socket, context, event):
    return {"zero": 0, "empty": "", "list": [], "no": False}[event.data]


@on_event(name="fail")
def fail(request, socket, context, event):
    raise ValueError("broken")


@on_event(name="call")
def call(request, socket, context, event):
    return socket.call(*event.args, timeout=10)


@on_event(name="callback")
def callback(request, socket, context, event):
    socket.emit("question", callback=lambda *args: socket.emit("answered", list(args)))


@on_event(name="callback with")
def callback_with(request, socket, context, event):
    socket.emit(*event.args, callback=lambda *args: socket.emit("answered", list(args)))


@on_event(name="emit")
def emit(request, socket, context, event):
    socket.emit(*event.args)


@on_event(name="told")
def what_was_told(request, socket, context, event):
    return told[event.data]


@on_event(name="context")
def what_is_kept(request, socket, context, event):
    return context


@on_event(name="join")
def join(request, socket, context, event):
    return socket.subscribe(event.data)


@on_event(name="channels")
def channels(request, socket, context, event):
    return list(socket.channels)


@on_event(name="others")
def others(request, socket, context, event):
    return socket.broadcast_emit("news", *event.args).sockets


@on_event(name="everybody")
def everybody(request, socket, context, event):
    return socket.send_and_broadcast(event.data).sockets


@on_event(name="room")
def room(request, socket, context, event):
    return socket.broadcast_channel(*event.args).sockets


@on_event(name="publish")
def publish_for(request, socket, context, event):
    channel, values = event.args[0] if len(event.args) == 1 else event.args
    for value in values:
        publish(channel, value, event="news")


@on_event(name="all_news")
def all_news(request, socket, context, event):
    for value in event.data:
        socket.broadcast_emit("news", value)


@on_event(name="file for all")
def file_for_all(request, socket, context, event):
    return broadcast_emit("file", *event.args, channel="files").sockets


@on_event(name="ask all")
def ask_all(request, socket, context, event):
    name, channel, timeout = event.args
    found = broadcast_call(name, channel=channel, timeout=timeout)
    return [found.answers, sorted(found.silent)]


@on_event(name="ask all with")
def ask_all_with(request, socket, context, event):
    name, channel, timeout, *args = event.args
    found = broadcast_call(name, *args, channel=channel, timeout=timeout)
    return [found.answers, sorted(found.silent)]


@on_event(name="what is received under")
def receive(request, socket, context, event):
    """A receiver from now on."""
    on_event(name=event.data)(lambda request, socket, context, event: [event.name, event.data])
    return event.data


@on_event(name="private")
def private(request, socket, context, event):
    try:
        return send(*event.args).sockets
    except NoSocket as problem:
        return str(problem)


@on_event(name="kick")
def kick(request, socket, context, event):
    connected_sockets.get(event.data).disconnect()


@on_event(name="cut")
def cut(request, socket, context, event):
    session_of(connected_sockets.get(event.data)).transport.abort("for a test")


@on_event(name="reserved")
def reserved(request, socket, context, event):
    try:
        socket.emit(event.data)
    except ValueError as problem:
        return type(problem).__name__


@on_event(name="stream")
def stream(request, socket, context, event):
    """Numbers, in time, whatever happens to the connection."""

    def run():
        for number in range(event.data):
            socket.emit("down", number)
            gevent.sleep(0.002)

    gevent.spawn(run)


@on_event(name="up")
def up(request, socket, context, event):
    context.setdefault("up", []).append(event.data)
