"""``manage.py post "text"``: a post of the organisers' own, on the wall at once."""

from __future__ import annotations

import secrets
from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from realtime_wall.wall.feed.announce import post_now
from realtime_wall.wall.models import MAIN, Wall
from realtime_wall.wall.post import TEXT_SIZE, Author, BadPost, Media, Post, picture_url, tidy


class Command(BaseCommand):
    help = "Puts a post of your own on the wall, and on every open page."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("text")
        parser.add_argument("--author", default="", help="who says it; the wall's title if nobody is named")
        parser.add_argument("--image", default="", help="the address of a picture")
        parser.add_argument(
            "--film", default="", help="the address of a film; --image is shown until it plays"
        )
        parser.add_argument("--wall", default=MAIN, help="the slug of a wall")

    def handle(self, *args: Any, **options: Any) -> None:
        wall = Wall.known(options["wall"])
        if wall is None:
            raise CommandError(f"there is no wall {options['wall']!r}")
        for name in ("image", "film"):
            if options[name] and not picture_url(options[name]):
                raise CommandError(f"--{name} has to be an http address, or a path of this site")
        image, film = options["image"], options["film"]
        if film and not image:
            raise CommandError("--film needs an --image, which is shown where it does not play")
        try:
            post = Post(
                id=secrets.token_hex(8),
                source="post",
                text=tidy(options["text"], TEXT_SIZE),
                created_at=datetime.now(UTC),
                author=Author(name=options["author"] or wall.title or "Live wall"),
                media=(Media("video" if film else "photo", image, film=film),) if image else (),
            )
        except BadPost as problem:
            raise CommandError(problem.reason) from problem
        stored = post_now(options["wall"], [post])
        if not stored.new:
            raise CommandError(f"it could not be stored: {stored.problem or stored.rejected[0].reason}")
        self.stdout.write(self.style.SUCCESS(f"posted as {post.key}"))
