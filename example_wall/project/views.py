"""Where to begin: what this wall's pages are, with a link to each."""

from django.shortcuts import render

from project.demo import NAME, PASSWORD
from realtime_wall.wall.models import Wall
from realtime_wall.wall.pages.layout import address_of, reading_frame
from realtime_wall.wall.pages.wall_policy import wall_policy
from realtime_wall.wall.phone_posts.post_token import token_of

PAGES = ("wall", "desk", "remote", "post", "archive", "map", "report")


@wall_policy
def start(request):
    wall = Wall.called()
    pages = {name: address_of(name, wall) for name in PAGES}
    context = {"pages": pages, "token": token_of(wall), "name": NAME, "password": PASSWORD}
    return render(request, "project/start.html", reading_frame(request, wall, "start") | context)
