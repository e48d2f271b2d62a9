"""Somebody who moderates the example's wall. Only with DEBUG: the password is written here."""

from django.conf import settings
from django.contrib.auth.models import User

from realtime_wall.wall.models import Wall
from realtime_wall.wall.phone_posts.picture import can_take_posts
from realtime_wall.wall.phone_posts.post_token import new_key

NAME, PASSWORD = "moderator", "salt-and-tide"


def make_moderator(port):
    if not settings.DEBUG:
        return
    user, is_new = User.objects.get_or_create(username=NAME)
    if is_new:
        user.set_password(PASSWORD)
        user.save()
    wall = Wall.called()
    wall.moderators.add(user)
    if is_new:
        wall.title, wall.hashtag = "Saltmarsh Py", "SaltmarshPy"
        wall.post_key = new_key() if can_take_posts() else ""
        wall.save()
    print(f"Begin here:  http://127.0.0.1:{port}/start/")
    print(f"The wall:  http://127.0.0.1:{port}/?screen=Stage")
    print(f"Its remote, for a phone:  http://127.0.0.1:{port}/remote/")
    print(f"Its desk:  http://127.0.0.1:{port}/desk/  (sign in as {NAME}, password {PASSWORD})")
