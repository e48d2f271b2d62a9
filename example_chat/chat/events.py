"""What happens when somebody comes in, says something, or leaves."""

from django.db import IntegrityError

from chat.models import ChatRoom, ChatUser
from realtime_wall import NoSocket, publish, send
from realtime_wall.answers import failure, success
from realtime_wall.events import on_disconnect, on_event, on_subscribe, on_unsubscribe
from realtime_wall.signals import server_started


@server_started.connect
def nobody_is_here_yet(sender, **kwargs):
    ChatUser.objects.all().delete()  # who was when the server was killed


@on_subscribe(channel=r"room\.")
def enter(request, socket, context, channel):
    room = ChatRoom.objects.filter(slug=channel.removeprefix("room.")).first()
    name = str(socket.auth.get("name", "")).strip()[:40]
    if room is None or not name:
        return False  # not let in
    try:
        user = room.users.create(name=name, session=socket.id)
    except IntegrityError:
        return False  # somebody here is called that already
    socket.emit("people", people_of(room))
    announce("joined", user)


@on_unsubscribe(channel=r"room\.")
def leave(request, socket, context, channel):
    for user in ChatUser.objects.filter(session=socket.id, room__slug=channel.removeprefix("room.")):
        user.delete()
        announce("left", user)


@on_disconnect
def leave_all(request, socket, context):
    for channel in socket.channels:
        leave(request, socket, context, channel)


@on_event(name="say")
def say(request, socket, context, event):
    me, text = speaker(socket, event)
    if me is None or not text:
        return failure()
    # To the others; that it got here is what the returned value tells the one who said it.
    socket.broadcast_channel({"name": me.name, "text": text}, me.room.channel)
    return success()


@on_event(name="whisper")
def whisper(request, socket, context, event):
    me, text = speaker(socket, event)
    other = me and me.room.users.filter(session=str(event.data.get("to"))).first()
    if not other or not text:
        return failure()
    try:
        send(other.session, {"name": me.name, "text": text, "private": True})
    except NoSocket:
        return failure()
    return success()


def speaker(socket, event):
    """Who says it, if the room has let them in, and what is said."""
    users = ChatUser.objects.select_related("room")
    me = users.filter(session=socket.id, room__slug=str(event.data["room"])).first()
    return me, str(event.data["text"]).strip()[:2000]


def announce(what, user):
    publish(user.room.channel, {"name": user.name, "people": people_of(user.room)}, event=what)


def people_of(room):
    return [{"name": user.name, "id": user.session} for user in room.users.all()]
