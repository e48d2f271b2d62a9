"""Ordinary pages: who you are is kept in the session, which the socket can read as well."""

from django.shortcuts import redirect, render
from django.utils.text import slugify

from realtime_wall import cursor


def door(request, room="lobby"):
    if request.method != "POST":
        return render(request, "chat/door.html", {"room": room})
    request.session["name"] = request.POST.get("name", "").strip()[:40]
    return redirect("room", slugify(request.POST.get("room", "")) or room)


def room(request, room):
    if not request.session.get("name"):
        return door(request, room)
    # What is said after this moment reaches the page, however long it takes to load.
    return render(request, "chat/room.html", {"room": room, "cursor": cursor()})
