"""Rooms, names, who said what: the server calls these when something happens on a socket."""

from realtime_wall import connected_sockets, publish
from realtime_wall.events import on_disconnect, on_event, on_subscribe


@on_subscribe(channel=r"room\.")
def enter(request, socket, context, channel):
    if not request.session.get("name"):
        return False  # not let in
    tell(channel, "joined", request)


@on_event(name="say")
def say(request, socket, context, event):
    room, text = event.data["room"], event.data["text"]
    if room not in socket.channels or not text.strip():
        return False
    # To the others; that it got here is what the returned value tells the one who said it.
    socket.broadcast_channel({"name": request.session["name"], "text": text[:2000]}, room)
    return True


@on_disconnect
def leave(request, socket, context):
    for room in socket.channels:
        tell(room, "left", request)


def tell(room, what, request):
    people = {socket.request.session["name"] for socket in connected_sockets if room in socket.channels}
    publish(room, {"name": request.session["name"], "people": sorted(people)}, event=what)
