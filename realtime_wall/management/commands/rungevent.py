"""``manage.py rungevent [addr:]port``: the site's pages and its live sockets, from gevent processes."""

from __future__ import annotations

import os
import sys
from datetime import datetime
from typing import Any

import gevent
from django.apps import apps
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.servers.basehttp import get_internal_wsgi_application
from django.db import connections
from django.urls import get_resolver
from django.utils.autoreload import DJANGO_AUTORELOAD_ENV

from realtime_wall import config
from realtime_wall.errors import CannotStart
from realtime_wall.server import bind_address, monkey_patch, systemd_socket
from realtime_wall.server.run import serve
from realtime_wall.server.workers import reload, worker
from realtime_wall.server.workers.supervisor import Supervisor
from realtime_wall.server.workers.worker import SupervisorLink, WorkerPlace

# staticfiles' command serves static files while DEBUG is on; both look and behave the same otherwise.
if apps.is_installed("django.contrib.staticfiles"):
    from django.contrib.staticfiles.management.commands.runserver import Command as Runserver
else:
    from django.core.management.commands.runserver import Command as Runserver  # type: ignore[assignment]


def _configured(use_ipv6: bool) -> str:
    """The address of the settings, as the command line would have it."""
    host, port = config.current().host, config.current().port
    if use_ipv6 and ":" not in host:
        return str(port)
    return f"{f'[{host}]' if ':' in host else host}:{port}"


class Command(Runserver):
    help = "Starts a gevent server for the site's pages and its live sockets."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--workers",
            type=int,
            metavar="N",
            help="How many processes serve; 0 is one for each core. Replaces the setting WORKERS.",
        )
        for action in parser._actions:
            if action.dest == "addrport":
                action.help = "Optional port number, ipaddr:port or unix:/path"
            elif action.dest == "use_threading":
                action.help = "Accepted for runserver's sake; greenlets do not need it."

    def run_from_argv(self, argv: list[str]) -> None:
        # Only here: a test's call_command must not replace the test runner.
        if not monkey_patch.is_patched():
            monkey_patch.start_again()
        super().run_from_argv(argv)

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEBUG and not settings.ALLOWED_HOSTS:
            raise CommandError("You must set settings.ALLOWED_HOSTS if DEBUG is False.")
        if not monkey_patch.is_patched():
            raise CommandError("gevent's patches are missing: start it as a command, 'manage.py rungevent'.")
        try:
            self.address = bind_address.parse(
                options["addrport"] or _configured(options["use_ipv6"]), options["use_ipv6"]
            )
        except bind_address.BadAddress as problem:
            raise CommandError(str(problem)) from problem
        # With DEBUG off this is a deployment: nobody edits files there.
        reloads = options["use_reloader"] and settings.DEBUG
        self.place = worker.take_place()
        if self.place is not None:
            self._work(self.place, **options)
        elif (count := _workers(options["workers"])) > 1 or reloads:
            # Who edits files has a supervisor, too: it keeps the address and the log while a worker that
            # has loaded the new code takes over from the one before, so that a save cuts nobody off.
            sys.exit(self._supervise(count, reloads))
        else:
            self.inner_run(**options)

    def inner_run(self, *args: Any, **options: Any) -> None:
        self._check_project(True, **options)
        try:
            listener, self.address = systemd_socket.take() or bind_address.listen(self.address)
            serve(listener, self.get_handler(*args, **options), config.current(), self._banner)
        except (bind_address.BadAddress, CannotStart) as problem:
            self.stderr.write(f"Error: {problem}")
            sys.exit(1)

    def _work(self, place: WorkerPlace, **options: Any) -> None:
        """Be one of several workers."""
        if place.checks != worker.NOT_AT_ALL:
            self._check_project(place.checks == worker.ALOUD, **options)
        link = SupervisorLink(place)
        try:
            application = self.get_handler(**options)
            # Not with the first request: a reload that fails would find other files on the disk by then.
            _ = get_resolver().url_patterns
            if place.is_one_of_several:
                worker.name_process_in_logs()  # after Django, which has just configured them once more
            if place.watches_files:
                gevent.spawn(reload.watch, link.changed)
            serve(systemd_socket.opened(place.listener), application, config.current(), link.ready, link)
        except (bind_address.BadAddress, CannotStart) as problem:
            self.stderr.write(f"Error: {problem}")
            os._exit(1)

    def _supervise(self, count: int, watches_files: bool) -> int:
        if count > 1:
            worker.name_process_in_logs()
        if watches_files:
            # What an app does in the process that serves, and not in the one that reloads it, it asks so.
            os.environ[DJANGO_AUTORELOAD_ENV] = "true"
        try:
            if given := systemd_socket.take():
                listeners, self.address = [given[0]], given[1]
            else:
                listeners, self.address = bind_address.listen_for_each(self.address, count)
        except bind_address.BadAddress as problem:
            raise CommandError(str(problem)) from problem
        by_whom = f" with {count} workers" if count > 1 else ""
        try:
            return Supervisor(
                listeners,
                count,
                config.current(),
                watches_files=watches_files,
                on_ready=lambda: self._banner(by_whom),
                report=self._print,
            ).run()
        except CannotStart as problem:
            raise CommandError(str(problem)) from problem

    def _check_project(self, aloud: bool, **options: Any) -> None:
        if not options["skip_checks"]:
            if aloud:
                self.stdout.write("Performing system checks...\n\n")
            # Runserver's own method names no tags, for a check before this that it skips.
            kwargs: Any = {**BaseCommand.get_check_kwargs(self, options), "display_num_errors": aloud}
            self.check(**kwargs)
        if aloud:
            self.check_migrations()
        connections.close_all()  # what the check opened would otherwise stay open as long as we serve

    def get_handler(self, *args: Any, **options: Any) -> Any:
        if apps.is_installed("django.contrib.staticfiles"):
            return super().get_handler(*args, **options)
        return get_internal_wsgi_application()

    def _banner(self, by_whom: str = "") -> None:
        stop = "CTRL-BREAK" if sys.platform == "win32" else "CONTROL-C"
        now = datetime.now().strftime("%B %d, %Y - %X")
        self._print(
            f"{now}\n"
            f"Django version {self.get_version()}, using settings {settings.SETTINGS_MODULE!r}\n"
            f"Starting gevent server at {self.address.url}{by_whom}\n"
            f"Quit the server with {stop}."
        )

    def _print(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()  # a log file or the journal shall show it now


def _workers(asked: int | None) -> int:
    count = config.current().workers if asked is None else asked
    if count < 0:
        raise CommandError("--workers cannot be less than 0.")
    return count or len(
        os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
    )
