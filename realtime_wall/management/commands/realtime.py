"""``manage.py realtime publish|tail|stats|record|replay|load|doctor|types|asyncapi|start``: from a shell.

It asks the servers of this project that run on this machine; ``load`` and ``doctor`` go to an address, as
visitors do.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Callable, Collection
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from realtime_wall import api, config
from realtime_wall.brokers.questions import MAX_LAST, Follow, GetStatistics
from realtime_wall.control import control_client
from realtime_wall.errors import RealtimeWallError
from realtime_wall.management import doctor_command, load_command, load_generator, playback, start_app
from realtime_wall.node.introspection import statistics, statistics_formats
from realtime_wall.typed_events import asyncapi, declared, typescript


class Command(BaseCommand):
    help = (
        "Publishes on channels, follows them, shows statistics, tries out what a server takes, names what is "
        "wrong in front of it, writes the types of events, and starts an app."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        publish = actions.add_parser("publish", help="put a message on a channel")
        publish.add_argument("channel")
        publish.add_argument("message", help="a text; '-' reads it from the standard input")
        publish.add_argument("--json", action="store_true", help="the message is JSON")
        publish.add_argument("--event", help="the name of an event")
        publish.add_argument("--event-id", help="an id of the message's own")
        publish.add_argument("--idempotency-key", help="publish once, however often this is run")
        tail = actions.add_parser("tail", help="show what is published, a line of JSON for each message")
        tail.add_argument("pattern", nargs="?", default="*", help="channels, such as 'tweets*'; all of them")
        tail.add_argument("--last", type=int, default=0, metavar="N", help="begin with the last N messages")
        record = actions.add_parser("record", help="write what is published, to be replayed")
        record.add_argument("pattern", nargs="?", default="*", help="channels, such as 'tweets*'")
        replay = actions.add_parser("replay", help="publish what was recorded, at its own pace")
        replay.add_argument("file", help="a recording; '-' reads the standard input")
        replay.add_argument("--speed", type=float, default=1.0, help="10 is an hour in six minutes")
        replay.add_argument("--channel", help="publish all of it on this channel")
        stats = actions.add_parser("stats", help="show statistics")
        stats.add_argument(
            "what", nargs="?", default="", help="a channel, 'news*', or ALL; a summary if none"
        )
        stats.add_argument("--json", action="store_true", help="as JSON")
        load_command.add_arguments(
            actions.add_parser("load", help="try out how much a server of yours takes")
        )
        doctor_command.add_arguments(
            actions.add_parser("doctor", help="name what is wrong between browsers and a server of yours")
        )
        actions.add_parser("types", help="write the declared events as TypeScript")
        asyncapi = actions.add_parser("asyncapi", help="write the declared events as an AsyncAPI document")
        asyncapi.add_argument("--title", default="", help="of the document; else the project's name")
        asyncapi.add_argument("--version-of", default="1.0.0", metavar="VERSION", help="of the document")
        start = actions.add_parser("start", help="make an app with a live page and its test")
        start.add_argument("name", help="the app's name")

    def handle(self, *args: Any, **options: Any) -> None:
        action: Callable[..., None] = getattr(self, f"_{options['action']}")
        try:
            action(**options)
        except RealtimeWallError as problem:
            raise CommandError(str(problem)) from problem

    def _publish(self, channel: str, message: str, **options: Any) -> None:
        text = sys.stdin.read().removesuffix("\n") if message == "-" else message
        try:
            data = json.loads(text) if options["json"] else text
        except ValueError as problem:
            raise CommandError(f"the message is no JSON: {problem}") from problem
        position = api.publish(
            channel,
            data,
            event=options["event"],
            event_id=options["event_id"],
            idempotency_key=options["idempotency_key"],
        )
        self.stdout.write(self.style.SUCCESS(f"Published at {position}"))

    def _tail(self, pattern: str, last: int, **options: Any) -> None:
        if not 0 <= last <= MAX_LAST:
            raise CommandError(f"--last has to be a number up to {MAX_LAST}")
        try:
            for item in control_client.answers_to(Follow(pattern=pattern, last=last), config.current()):
                self.stdout.write(json.dumps(item, ensure_ascii=False))
                self.stdout.flush()
        except KeyboardInterrupt:
            return
        except BrokenPipeError:  # whoever read this, as in "| head", has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return
        raise CommandError("the server has ended")

    def _record(self, pattern: str, **options: Any) -> None:
        self._tail(pattern, last=0, **options)

    def _replay(self, file: str, speed: float, channel: str | None, **options: Any) -> None:
        if not 0 < speed < float("inf"):
            raise CommandError("--speed has to be a number above 0")
        try:
            with contextlib.ExitStack() as stack:
                lines = sys.stdin if file == "-" else stack.enter_context(open(file, encoding="utf-8"))
                count = playback.play(lines, speed, channel)
        except (OSError, playback.BadRecording) as problem:
            raise CommandError(str(problem)) from problem
        except KeyboardInterrupt:
            return
        self.stdout.write(self.style.SUCCESS(f"Published {count:,} messages"))

    def _start(self, name: str, **options: Any) -> None:
        start_app.start(name, self.stdout.write)

    def _stats(self, what: str, **options: Any) -> None:
        question = GetStatistics(selection=what)
        found = statistics.of_all(list(control_client.answers_to(question, config.current())))
        self.stdout.write(json.dumps(found) if options["json"] else _for_people(found))

    def _doctor(self, **options: Any) -> None:
        def report(what: str) -> None:
            self.stderr.write(f"\r{what} ...".ljust(30), ending="")

        found = doctor_command.examine(options, report if self.stderr.isatty() else lambda what: None)
        if self.stderr.isatty():
            self.stderr.write("\r".ljust(30) + "\r", ending="")
        text = (
            doctor_command.as_json(found)
            if options["json"]
            else doctor_command.for_people(found, options["proxy"])
        )
        self.stdout.write(text)
        if not all(finding.is_advice for finding in found.findings):
            sys.exit(1)

    def _declared(self) -> Collection[declared.Declared]:
        if not declared.registry:
            self.stderr.write("No event is declared: docs/howto/typed-events.rst says how.")
        return declared.registry.values()

    def _types(self, **options: Any) -> None:
        self.stdout.write(typescript.typescript(self._declared()), ending="")

    def _asyncapi(self, title: str, version_of: str, **options: Any) -> None:
        title = title or settings.ROOT_URLCONF.partition(".")[0]
        found = asyncapi.asyncapi(self._declared(), title, version_of)
        self.stdout.write(json.dumps(found, indent=2, ensure_ascii=False))

    def _load(self, **options: Any) -> None:
        plan = load_command.plan_of(options)
        progress = load_command.show_progress(self.stderr) if self.stderr.isatty() else lambda result: None
        try:
            result = load_generator.run(plan, progress)
        except KeyboardInterrupt:
            return
        if self.stderr.isatty():
            self.stderr.write("")  # behind the progress
        if options["json"]:
            self.stdout.write(json.dumps(result.as_json()))
        else:
            self.stdout.write(load_command.for_people(result, plan))
        if result.joined < plan.connections or result.delivered < result.expected:
            sys.exit(1)


def _for_people(found: dict[str, Any]) -> str:
    return statistics_formats.as_text(found).replace("\r\n", "\n")
