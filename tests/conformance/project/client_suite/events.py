"""What the suite of the official client expects its server to do."""

import time

from realtime_wall import Refuse
from realtime_wall.events import on_connect, on_event


def slowly(request):
    """Let everybody in, after a moment: the suite tries the client's time limit."""
    time.sleep(0.01)
    return True


def handshake(socket):
    return {"query": socket.request.GET.dict(), "auth": socket.auth or {}}


@on_connect
def connected(request, socket, context):
    if socket.namespace == "/no":
        raise Refuse("Auth failed (custom namespace)")
    if socket.namespace == "/" and "fail" in request.GET:
        raise Refuse("Auth failed (main namespace)")
    if socket.namespace == "/abc":
        socket.emit("handshake", handshake(socket))


@on_event(name="hi")
def hi(request, socket, context, event):
    socket.emit("hi")


@on_event(name="echo")
def echo(request, socket, context, event):
    event.ack(*event.args)


@on_event(name="ack")
def ask(request, socket, context, event):
    def answered(a, b):
        if a == 5 and b["test"]:
            socket.emit("got it")

    socket.emit("ack", callback=answered)


@on_event(name="getAckDate")
def date_as_answer(request, socket, context, event):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


@on_event(name="getDate")
def date(request, socket, context, event):
    socket.emit("takeDate", time.strftime("%Y-%m-%dT%H:%M:%SZ"))


@on_event(name="getDateObj")
def date_inside(request, socket, context, event):
    socket.emit("takeDateObj", {"date": time.strftime("%Y-%m-%dT%H:%M:%SZ")})


@on_event(name="getUtf8")
def unicode_texts(request, socket, context, event):
    for text in ("てすと", "Я Б Г Д Ж Й", "Ä ä Ü ü ß", "utf8 — string", "utf8 — string"):
        socket.emit("takeUtf8", text)


@on_event(name="false")
def falsehood(request, socket, context, event):
    socket.emit("false", False)


@on_event(name="doge")
def doge(request, socket, context, event):
    socket.emit("doge", b"asdfasdf")


@on_event(name="getbin")
def getbin(request, socket, context, event):
    socket.emit("takebin", b"asdfasdf")


# What the client sends, and by which event it is told that it arrived as it was.
EXPECTED = {
    "buffa": ("buffack", lambda data: isinstance(data, bytes)),
    "blob": ("back", lambda data: isinstance(data, bytes)),
    "jsonbuff": ("jsonbuff-ack", lambda data: isinstance(data["message"], bytes)),
    "jsonblob": ("jsonblob-ack", lambda data: isinstance(data["message"], bytes)),
    "abuff1": (None, lambda data: isinstance(data, bytes)),
    "abuff2": ("abuff2-ack", lambda data: True),
    "blob1": (None, lambda data: isinstance(data, bytes)),
    "blob2": (None, lambda data: data == "second"),
    "blob3": ("blob3-ack", lambda data: isinstance(data, bytes)),
}


def check(name, answer, is_right):
    # With a receiver of its own for each: an event that nobody receives is not acknowledged.
    @on_event(name=name)
    def arrived(request, socket, context, event):
        before = context.setdefault("arrived", [])
        before.append(name)
        in_order = name != "abuff2" or "abuff1" in before
        if answer is not None and is_right(event.args[0]) and in_order:
            socket.emit(answer)


for name, (answer, is_right) in EXPECTED.items():
    check(name, answer, is_right)


@on_event(name="getHandshake")
def tell_handshake(request, socket, context, event):
    return handshake(socket)


@on_event(name="getId")
def tell_id(request, socket, context, event):
    return socket.id
