"""What happens when somebody comes in, or says something. Who is here is known by PRESENCE (settings.py)."""

from chat.models import ChatRoom
from realtime_wall import NoSocket, cluster, send
from realtime_wall.answers import failure, success
from realtime_wall.events import on_event, on_subscribe


def who(socket, channel):
    """PRESENCE: what the others see of somebody, and by which id they whisper."""
    return {"id": socket.id, "name": name_of(socket)}


@on_subscribe(channel=r"room\.")
def enter(request, socket, context, channel):
    """Whether somebody is let in: a room has nobody's name twice."""
    name = name_of(socket)
    is_room = ChatRoom.objects.filter(slug=channel.removeprefix("room.")).exists()
    return bool(is_room and name and not is_taken(name, socket, channel))


@on_event(name="say")
def say(request, socket, context, event):
    channel, text = said(socket, event)
    if not channel or not text:
        return failure()
    # To the others; that it got here is what the returned value tells the one who said it.
    socket.broadcast_channel({"name": name_of(socket), "text": text}, channel)
    return success()


@on_event(name="whisper")
def whisper(request, socket, context, event):
    channel, text = said(socket, event)
    other = str(event.data.get("to"))
    if not channel or not text or other not in [person["id"] for person in cluster.presence(channel)]:
        return failure()
    try:
        send(other, {"name": name_of(socket), "text": text, "private": True})
    except NoSocket:
        return failure()
    return success()


def said(socket, event):
    """In which room, if it has let them in, and what."""
    channel = f"room.{event.data['room']}"
    return channel if channel in socket.channels else None, str(event.data["text"]).strip()[:2000]


def name_of(socket):
    return str(socket.auth.get("name", "")).strip()[:40]


def is_taken(name, socket, channel):
    others = [person["name"] for person in cluster.presence(channel) if person["id"] != socket.id]
    return name.casefold() in map(str.casefold, others)
