import time

from realtime_wall import Refuse
from realtime_wall.events import (
    on_connect,
    on_disconnect,
    on_error,
    on_event,
    on_finish,
    on_message,
    on_subscribe,
)

seen = []  # what the receivers noticed, for "seen"


@on_connect
def connected(request, socket, context):
    if request.GET.get("refuse"):
        raise Refuse({"why": request.GET["refuse"]})
    context["events"] = 0
    seen.append("connected")


@on_disconnect
def disconnected(request, socket, context):
    seen.append("disconnected")


@on_finish
def finished(request, socket, context):
    seen.append("finished")


@on_error
def failed(request, socket, context, exception):
    seen.append(f"error {exception}")


@on_message
def echo(request, socket, context, message):
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


@on_event(name="session")
def session(request, socket, context, event):
    return request.session.get("name")


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
