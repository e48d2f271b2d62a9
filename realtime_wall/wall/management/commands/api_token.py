"""``manage.py api_token make NAME``: tokens of programs that moderate; made, listed and revoked."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from realtime_wall.wall.models import Wall
from realtime_wall.wall.programs.program_tables import ApiToken
from realtime_wall.wall.programs.program_token import make_token


class Command(BaseCommand):
    help = "Makes, lists and revokes the tokens of programs that moderate."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        make = actions.add_parser("make", help="make a token, and say it this once")
        make.add_argument("name", help="of the program; it stands in the trail of decisions")
        make.add_argument("--wall", help="the slug of its wall; without it, the token is of every wall")
        make.add_argument("--ban", action="store_true", help="it may ban")
        make.add_argument("--pin", action="store_true", help="it may pin")
        make.add_argument("--read-only", action="store_true", help="it may not show and hide")
        actions.add_parser("list", help="list those that hold")
        revoke = actions.add_parser("revoke", help="end one")
        revoke.add_argument("number", type=int)

    def handle(self, *args: Any, **options: Any) -> None:
        {"make": self._make, "list": self._list, "revoke": self._revoke}[options["action"]](options)

    def _make(self, options: dict[str, Any]) -> None:
        slug = options["wall"]
        wall = Wall.known(slug) if slug else None
        if slug and wall is None:
            raise CommandError(f"there is no wall {slug!r}")
        token, digest = make_token()
        ApiToken.objects.create(
            name=options["name"][:100],
            wall=wall,
            digest=digest,
            may_decide=not options["read_only"],
            may_ban=options["ban"],
            may_pin=options["pin"],
        )
        self.stdout.write(token)
        self.stderr.write("Keep it: it cannot be shown again.")

    def _list(self, options: dict[str, Any]) -> None:
        for token in ApiToken.objects.filter(revoked=None).select_related("wall"):
            seen = f"last seen {token.seen:%Y-%m-%d}" if token.seen else "never seen"
            self.stdout.write(f"{token.pk}  {token.name}  {token.wall or 'every wall'}  {seen}")

    def _revoke(self, options: dict[str, Any]) -> None:
        of_number = ApiToken.objects.filter(pk=options["number"], revoked=None)
        if not of_number.update(revoked=timezone.now()):
            raise CommandError(f"there is no token {options['number']}")
