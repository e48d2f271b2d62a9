"""What the suite of Socket.IO expects its server to do."""

from realtime_wall.events import on_connect, on_event


@on_connect
def tell_auth(request, socket, context):
    socket.emit("auth", socket.auth)


@on_event(name="message")
def echo(request, socket, context, event):
    socket.emit("message-back", *event.args)


@on_event(name="message-with-ack")
def acknowledge(request, socket, context, event):
    event.ack(*event.args)
