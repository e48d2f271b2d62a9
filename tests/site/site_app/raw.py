"""Protocols of the site's own, on raw WebSockets."""

from realtime_wall import Refuse

gone = []


def echo(socket, data):
    socket.send(data)


def enter(socket):
    if socket.kwargs["room"] == "closed":
        raise Refuse("nobody may enter")
    socket.send(f"{socket.request.user} in {socket.kwargs['room']}")


def frame(socket, data):
    if data == "fail":
        raise LookupError("of ours")
    if data == "bye":
        socket.disconnect(4000, "as you wish")
    elif data == "gone":
        socket.send(" ".join(gone))
    else:
        socket.context["frames"] = socket.context.get("frames", 0) + 1
        socket.send(bytes([socket.context["frames"]]))


def leave(socket):
    gone.append(socket.kwargs["room"])
