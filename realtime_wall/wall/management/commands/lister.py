"""``manage.py lister``: the authors of a wall's posts, on a list of X's."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from realtime_wall.wall import options as wall_options
from realtime_wall.wall.feed.clock import Clock, SystemClock
from realtime_wall.wall.models import MAIN, Wall
from realtime_wall.wall.sources.x import list_timeline
from realtime_wall.wall.sources.x.http_adapter import BASE_URL
from realtime_wall.wall.sources.x.list_timeline import Author, Credentials, Lister, ListerStopped, Progress

WIDTH = 30  # of the bar
NAMED = ("CONSUMER_KEY", "CONSUMER_SECRET", "ACCESS_TOKEN", "ACCESS_SECRET")


class Command(BaseCommand):
    help = "Adds the authors of a wall's posts to a list of X's; run again, it goes on with the new ones."

    def __init__(
        self, *args: Any, clock: Clock | None = None, base_url: str = BASE_URL, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._clock = clock or SystemClock()
        self._base_url = base_url

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--list", default="", help="its number, or its name; TWITTER_LIST in the settings"
        )
        parser.add_argument("--wall", default=MAIN, help="the slug of a wall")
        parser.add_argument(
            "--create", action="store_true", help="make the list if there is none of this name"
        )
        parser.add_argument(
            "--most", type=int, default=list_timeline.MOST, help="members of the list, at most"
        )
        parser.add_argument(
            "--again", action="store_true", help="begin with the first author, not where it was"
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="say who would be added, and ask X nothing"
        )
        parser.add_argument("--yes", action="store_true", help="do not ask before it costs something")

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = wall_options.current()
        name = str(options["list"] or chosen.twitter_list).strip()
        if not name:
            raise CommandError("which list? Give --list, or set TWITTER_LIST")
        wall = Wall.known(options["wall"])
        if wall is None:
            raise CommandError(f"there is no wall {options['wall']!r}")
        progress = Progress.of(wall, name)
        if options["again"] and not options["dry_run"]:
            progress.forget()
        waiting = self._waiting(wall, progress, options)
        if not waiting:
            self.stdout.write("nobody new is to be added")
            return
        self._report_cost(name, waiting, options["create"])
        if options["dry_run"]:
            self.stdout.write("\n".join(f"@{author.username}" for author in waiting))
            return
        credentials = self._credentials(chosen)
        if not options["yes"] and not self._agreed():
            raise CommandError("nothing was done")
        self._add(name, waiting, progress, credentials, options["create"])

    def _waiting(self, wall: Wall, progress: Progress, options: dict[str, Any]) -> list[Author]:
        authors = list_timeline.authors_of(wall, wall_options.current().banned_users)
        row = 0 if options["again"] else progress.row()
        waiting = [author for author in authors if author.row > row]
        room = max(options["most"] - (len(authors) - len(waiting)), 0)
        if len(waiting) > room:
            self.stderr.write(
                f"{len(waiting) - room} are left out: the list is to have {options['most']} members"
            )
        return waiting[:room]

    def _report_cost(self, name: str, waiting: list[Author], create: bool) -> None:
        dollars = len(waiting) * list_timeline.PRICE
        if not name.isdecimal():
            dollars += list_timeline.PRICE_OF_A_NAME + (list_timeline.PRICE_OF_A_LIST if create else 0)
        self.stdout.write(
            f"{len(waiting)} are to be added to the list {name!r}: about ${dollars:.2f} at X's prices, "
            f"in about {_minutes(len(waiting) * list_timeline.PACE)}"
        )

    def _agreed(self) -> bool:
        try:
            return input("Go on? [y/N] ").strip().casefold() in ("y", "yes")
        except EOFError:
            raise CommandError("nobody is there to be asked: give --yes") from None

    def _credentials(self, chosen: wall_options.Options) -> Credentials:
        missing = [name for name in NAMED if not getattr(chosen, name.lower())]
        if missing:
            raise CommandError(f"X wants to know who you are: set {', '.join(missing)}")
        return Credentials(*(getattr(chosen, name.lower()) for name in NAMED))

    def _add(
        self, name: str, waiting: list[Author], progress: Progress, credentials: Credentials, create: bool
    ) -> None:
        lister = Lister(list_timeline.client_of(credentials, self._base_url), self._clock)
        owner = credentials.access_token.partition("-")[0]  # X's tokens begin with their owner
        added = refused = 0
        try:
            list_id = name if name.isdecimal() else lister.find_list(name, owner, create)
            for author, problem in lister.add(list_id, waiting):
                progress.reach(author)
                added, refused = added + (not problem), refused + bool(problem)
                if problem:
                    self._write_line(f"@{author.username}: {problem}")
                self._draw(added + refused, len(waiting))
        except ListerStopped as stopped:
            self._write_line("")
            raise CommandError(f"{stopped}. {added} were added; run it again to go on.") from stopped
        except KeyboardInterrupt:
            self._write_line("")
            raise CommandError(f"{added} were added; run it again to go on.") from None
        self._write_line(
            self.style.SUCCESS(f"{added} were added" + (f", {refused} were refused" if refused else ""))
        )

    # A terminal has a bar that grows in its line; a log file has a line for each tenth.

    def _draw(self, done: int, whole: int) -> None:
        progress = f"{done}/{whole}, {_minutes((whole - done) * list_timeline.PACE)} left"
        if self.stdout.isatty():
            filled = WIDTH * done // whole
            self.stdout.write(f"\r[{'#' * filled}{'.' * (WIDTH - filled)}] {progress}   ", ending="")
            self.stdout.flush()
        elif done * 10 // whole > (done - 1) * 10 // whole:
            self.stdout.write(progress)

    def _write_line(self, sentence: str) -> None:
        if self.stdout.isatty():
            self.stdout.write("\r" + " " * (WIDTH + 40) + "\r", ending="")
        if sentence:
            self.stdout.write(sentence)


def _minutes(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes else "less than a minute"
