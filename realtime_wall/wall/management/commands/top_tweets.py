"""``manage.py top_tweets``: what was passed on most, and who wrote most."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from realtime_wall.wall.models import MAIN, Wall
from realtime_wall.wall.queries.aggregates import count
from realtime_wall.wall.queries.report import top_people, top_posts

WIDE = 70  # characters of a post's text


class Command(BaseCommand):
    help = "Counts a wall's posts anew, and lists what was passed on most and who wrote most."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("number", type=int, nargs="?", default=10, help="lines of each list")
        parser.add_argument("--wall", default=MAIN, help="the slug of a wall")
        parser.add_argument("--json", action="store_true", help="for a program to read")

    def handle(self, *args: Any, **options: Any) -> None:
        wall = Wall.known(options["wall"])
        if wall is None:
            raise CommandError(f"there is no wall {options['wall']!r}")
        if not 1 <= options["number"] <= 50:
            raise CommandError("from 1 to 50 can be listed")
        counted = count(wall)
        posts = [
            {"times": top.times, "username": top.post["author_username"], "text": top.post["text"]}
            | {"url": top.post["url"]}
            for top in top_posts(wall, counted, options["number"])
        ]
        people = [
            {"posts": top.posts, "passed_on": top.passed_on, "username": top.post["author_username"]}
            | {"name": top.post["author_name"]}
            for top in top_people(wall, counted, options["number"])
        ]
        if options["json"]:
            self.stdout.write(json.dumps({"posts": posts, "people": people}, indent=2))
            return
        self.stdout.write(
            f"{counted.posts} posts, {counted.retweets} of them passed on, by {counted.people}\n"
        )
        self.stdout.write(self.style.MIGRATE_HEADING("Passed on most"))
        for post in posts:
            self.stdout.write(f"{post['times']:6}  @{_plain(post['username'])}: {_plain(post['text'])}")
        self.stdout.write(self.style.MIGRATE_HEADING("Wrote most"))
        for person in people:
            name = _plain(person["username"] or person["name"])
            self.stdout.write(f"{person['posts']:6}  @{name}, passed on {person['passed_on']} times")


def _plain(text: str) -> str:
    """One line, without what a terminal would obey."""
    line = "".join(letter if letter.isprintable() else " " for letter in text)
    return line if len(line) <= WIDE else line[: WIDE - 1] + "…"
