from realtime_wall.events import on_connect, on_event, on_message


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
