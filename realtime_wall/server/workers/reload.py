"""Has a file of the project changed? For development: nobody edits files of a deployment."""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from django.urls import get_resolver
from django.utils import autoreload
from gevent.event import Event

log = logging.getLogger(__name__)

_IN_TRACEBACK = re.compile(r'^\s*File "(.+?)", line \d+', re.M)


def watch(changed: Callable[[Path], None]) -> None:
    """Call this with each file of this process that changes: its modules, templates, translations."""
    files = autoreload.StatReloader()

    def on_file_changed(file_path: Path, **_: Any) -> bool:
        changed(file_path)
        return True  # or Django's reloader would end this process

    # A mistake in the URLconf is shown by the checks; the files that were imported are watched.
    with contextlib.suppress(Exception):
        _ = get_resolver().urlconf_module
    autoreload.file_changed.connect(on_file_changed, weak=False)
    autoreload.autoreload_started.send(sender=files)
    files.run_loop()


def wait_for_a_change(stop: Event, others: Iterable[Path] = ()) -> bool:
    """Until a file of this process, or one of the others, has changed; False when ``stop`` came first.

    For what cannot be started: it is shown, mended, and started again.
    """
    files = autoreload.StatReloader()
    files.extra_files.update(others)
    before = dict(files.snapshot_files())
    while not stop.wait(files.SLEEP_TIME):
        if dict(files.snapshot_files()) != before:
            return True
    return False


def files_of(traceback: str) -> set[Path]:
    """The files that a traceback names: a mistake is mended in one of them."""
    return {Path(name) for name in _IN_TRACEBACK.findall(traceback)}
