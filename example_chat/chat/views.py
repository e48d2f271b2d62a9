"""Ordinary pages: the list of rooms, a room, and a form for the staff."""

from django.contrib.admin.views.decorators import staff_member_required
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.text import slugify

from chat.models import ChatRoom
from realtime_wall import NoSocket, broadcast_emit
from realtime_wall.views.content_security import strict_policy


@strict_policy
def rooms(request):
    name = " ".join(request.POST.get("name", "").split())[:40]
    slug = slugify(name, allow_unicode=True)
    if request.method == "POST" and slug:
        ChatRoom.objects.get_or_create(slug=slug, defaults={"name": name})
        return redirect("room", slug)
    return render(request, "chat/rooms.html", {"rooms": ChatRoom.objects.all()})


@strict_policy
def room(request, slug):
    return render(request, "chat/room.html", {"room": get_object_or_404(ChatRoom, slug=slug)})


@staff_member_required
@strict_policy
def system_message(request):
    """A message to one room, or to all. The same works in ``manage.py shell``, while the server runs::

    from realtime_wall import broadcast_emit
    broadcast_emit("system", "We close in ten minutes.")
    broadcast_emit("system", "Lunch is ready.", channel="room.lobby")
    """
    told = ""
    if request.method == "POST":
        slug = request.POST["room"]
        channel = get_object_or_404(ChatRoom, slug=slug).channel if slug else None
        try:
            receipt = broadcast_emit("system", request.POST["text"], channel=channel)
            told = f"Sent to {receipt.sockets}."
        except NoSocket:
            told = "Nobody is there."
    return render(request, "chat/system.html", {"rooms": ChatRoom.objects.all(), "told": told})
