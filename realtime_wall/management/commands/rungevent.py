"""``manage.py rungevent [addr:]port``: the site's pages and its live sockets from one gevent process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import datetime
from typing import Any

import gevent
from django.apps import apps
from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.core.servers.basehttp import get_internal_wsgi_application
from django.db import connections
from django.utils import autoreload

from realtime_wall import config
from realtime_wall.errors import UnsafeRuntimeDir
from realtime_wall.server import addresses, patching
from realtime_wall.server.run import serve

# staticfiles' command serves static files while DEBUG is on; both look and behave the same otherwise.
if apps.is_installed("django.contrib.staticfiles"):
    from django.contrib.staticfiles.management.commands.runserver import Command as Runserver
else:
    from django.core.management.commands.runserver import Command as Runserver  # type: ignore[assignment]


STOP = (signal.SIGTERM, signal.SIGINT)
# With this status Django's reloader ends a child that is to be started again.
FILES_CHANGED = 3


class Command(Runserver):
    help = "Starts a gevent server for the site's pages and its live sockets."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        for action in parser._actions:
            if action.dest == "addrport":
                action.help = "Optional port number, ipaddr:port or unix:/path"
            elif action.dest == "use_threading":
                action.help = "Accepted for runserver's sake; greenlets do not need it."

    def run_from_argv(self, argv: list[str]) -> None:
        # Only here: a test's call_command must not replace the test runner.
        if not patching.is_patched():
            patching.start_again()
        super().run_from_argv(argv)

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEBUG and not settings.ALLOWED_HOSTS:
            raise CommandError("You must set settings.ALLOWED_HOSTS if DEBUG is False.")
        if not patching.is_patched():
            raise CommandError("gevent's patches are missing: start it as a command, 'manage.py rungevent'.")
        try:
            self.address = addresses.parse(options["addrport"] or self.default_port, options["use_ipv6"])
        except addresses.BadAddress as problem:
            raise CommandError(str(problem)) from problem
        # With DEBUG off this is a deployment: nobody edits files there.
        if not options["use_reloader"] or not settings.DEBUG:
            self.inner_run(**options)
        elif os.environ.get(autoreload.DJANGO_AUTORELOAD_ENV) == "true":
            autoreload.run_with_reloader(self.inner_run, **options)
        else:
            sys.exit(_restart_whenever_files_change())

    def inner_run(self, *args: Any, **options: Any) -> None:
        autoreload.raise_last_exception()
        if not options["skip_checks"]:
            self.stdout.write("Performing system checks...\n\n")
            kwargs: Any = {**self.get_check_kwargs(options), "display_num_errors": True}
            self.check(**kwargs)
        self.check_migrations()
        connections.close_all()  # what the check opened would otherwise stay open as long as we serve
        try:
            listener, self.address = addresses.listen(self.address)
            serve(listener, self.get_handler(*args, **options), config.current(), self._banner)
        except (addresses.BadAddress, UnsafeRuntimeDir) as problem:
            self.stderr.write(f"Error: {problem}")
            # Under the reloader this is not the main thread, and only this ends the process.
            os._exit(1)
        if os.environ.get(autoreload.DJANGO_AUTORELOAD_ENV) == "true":
            sys.stdout.flush()
            os._exit(0)

    def get_handler(self, *args: Any, **options: Any) -> Any:
        if apps.is_installed("django.contrib.staticfiles"):
            return super().get_handler(*args, **options)
        return get_internal_wsgi_application()

    def _banner(self) -> None:
        stop = "CTRL-BREAK" if sys.platform == "win32" else "CONTROL-C"
        now = datetime.now().strftime("%B %d, %Y - %X")
        self.stdout.write(
            f"{now}\n"
            f"Django version {self.get_version()}, using settings {settings.SETTINGS_MODULE!r}\n"
            f"Starting gevent server at {self.address.url}\n"
            f"Quit the server with {stop}."
        )
        self.stdout.flush()  # a log file or the journal shall show it now


def _restart_whenever_files_change() -> int:
    """Run this command again in a child that ends with status 3 when a file has changed."""
    command = autoreload.get_child_arguments()
    environment = {**os.environ, autoreload.DJANGO_AUTORELOAD_ENV: "true"}
    status = FILES_CHANGED
    while status == FILES_CHANGED:
        child = subprocess.Popen(command, env=environment, close_fds=False)
        # The child drains its clients; this process only passes the word on, and waits.
        watchers = [gevent.signal_handler(number, child.send_signal, number) for number in STOP]
        status = child.wait()
        for watcher in watchers:
            watcher.cancel()
    return status
