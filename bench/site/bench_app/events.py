import os

from realtime_wall.events import on_connect, on_event, on_message
from realtime_wall.sockets.budgets.account import Account

if not os.environ.get("BENCH_BUDGETS"):  # the control of what they cost
    Account.note_event = lambda *_: None
    Account.note_read = lambda *_: False


@on_connect
def connected(request, socket, context):
    if request.GET.get("channel"):
        socket.subscribe(request.GET["channel"])
    if request.GET.get("user"):
        context["name"] = str(request.user)


@on_message
def text(request, socket, context, message):
    socket.send(len(message))


@on_event(name="add")
def add(request, socket, context, event):
    return sum(event.data)


@on_event(name="document")
def document(request, socket, context, event):
    return len(event.data)
