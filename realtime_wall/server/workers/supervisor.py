"""Workers on one address, several or one whose files are edited: who starts them, and who starts them anew?

The supervisor opens the listening sockets and keeps them for its whole life, so that nobody is refused
while a worker dies or is replaced: another one accepts its clients meanwhile. Workers are fresh interpreters,
never forks of this process, which serves nobody itself.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
from collections.abc import Callable, Sequence
from time import monotonic

import gevent
from gevent.event import Event
from gevent.lock import BoundedSemaphore

from realtime_wall.config import Config
from realtime_wall.server.run import ONE_SIGNAL
from realtime_wall.server.workers import reload
from realtime_wall.server.workers.restart_backoff import RestartBackoff
from realtime_wall.server.workers.supervisor_hub import SupervisorHub
from realtime_wall.server.workers.worker import ALOUD, NOT_AT_ALL, QUIETLY, WorkerPlace
from realtime_wall.server.workers.worker_process import WorkerProcess

log = logging.getLogger(__name__)

# Seconds that a worker may take to start: a slow import is no hang.
START_LIMIT = 60.0
# Seconds between two looks for silent workers.
LOOK_EVERY = 0.5
# Seconds of silence after which others accept a worker's clients for it.
COVER_AFTER = 2.0
# Seconds that a worker may take to leave beyond its two drains, of clients and of receivers; and in all,
# when there was a second signal to stop.
LEAVE_SLACK = 5.0
HURRY = 1.2


class Slot:
    """A place in the row of workers, whoever fills it."""

    def __init__(self, number: int, listener: socket.socket) -> None:
        self.number = number
        self.listener = listener
        self.worker: WorkerProcess | None = None
        self.restarts = RestartBackoff()
        self.filling = BoundedSemaphore(1)  # one at a time starts a worker here


class Supervisor:
    """``listeners`` are one for each worker, or one for all."""

    def __init__(
        self,
        listeners: Sequence[socket.socket],
        count: int,
        config: Config,
        *,
        watches_files: bool,
        on_ready: Callable[[], None],
        report: Callable[[str], object],
    ) -> None:
        self._slots = [Slot(number, listeners[number % len(listeners)]) for number in range(count)]
        self._config = config
        self._watches_files = watches_files
        self._on_ready = on_ready
        self._report = report
        self._processes: set[WorkerProcess] = set()  # all that have not ended, leaving ones too
        self._nobody_left = Event()
        self._stop, self._hurry, self._reload = Event(), Event(), Event()
        self._stop_ordered_at = 0.0
        self._has_terminal = os.isatty(0)
        self._is_begun = False  # all workers have served
        self._complaint = ""  # why the last start failed

    def run(self) -> int:
        """Serve until SIGTERM or SIGINT, replace the workers on SIGHUP; the command's exit status."""
        orders = {
            signal.SIGTERM: self._order_stop,
            signal.SIGINT: self._order_stop,
            signal.SIGHUP: self._order_reload,
        }
        watchers = [gevent.signal_handler(number, order) for number, order in orders.items()]
        looking = gevent.spawn(self._look_for_silent_ones)
        # The log, and the order of what is published, are what all workers share.
        hub = None if self._config.broker else SupervisorHub(self._config)
        if hub is not None:
            hub.start()
        try:
            if (status := self._start()) is not None:
                return status
            while self._wait_for(self._reload):
                self._reload.clear()
                self._replace_all()
            return 0
        finally:
            self._end_all()
            looking.kill()
            if hub is not None:
                hub.stop()
            for watcher in watchers:
                watcher.cancel()

    def _order_stop(self) -> None:
        if not self._stop.is_set():
            self._stop_ordered_at = monotonic()
            self._stop.set()
        elif monotonic() - self._stop_ordered_at > ONE_SIGNAL:
            self._hurry.set()

    def _order_reload(self) -> None:
        if self._has_terminal and not os.isatty(0):
            self._order_stop()  # the terminal was closed: nobody means to go on without it
        else:
            self._reload.set()

    def _wait_for(self, event: Event, seconds: float | None = None) -> bool:
        """Until something has happened; False when we are to stop before, or the time is over."""
        gevent.wait([event, self._stop], timeout=seconds, count=1)
        return event.is_set() and not self._stop.is_set()

    # Starting

    def _start(self) -> int | None:
        """Start all workers; the command's status when that cannot be done."""
        first, *others = self._slots
        # One goes ahead: what is wrong with the project is then reported once.
        while not (worker := self._fill(first, ALOUD)).is_serving:
            if self._stop.is_set():
                return 0
            if not self._watches_files:
                return max(worker.status, 1)
            self._report(worker.last_words)
            reload.wait_for_a_change(self._stop, reload.files_of(worker.last_words))
        gevent.joinall([gevent.spawn(self._keep_filled, slot, 0.0, NOT_AT_ALL) for slot in others])
        if not self._stop.is_set():
            self._is_begun = True
            self._on_ready()
        return None

    def _fill(self, slot: Slot, checks: str) -> WorkerProcess:
        """Start a worker, and when it serves let the one before it leave."""
        with slot.filling:
            new = self._new_worker(slot, checks)
            self._wait_for(new.settled)
            if new.is_serving and not self._stop.is_set():
                self._complaint = ""
                old, slot.worker = slot.worker, new
                self._share_queues()
                if old is not None:
                    self._let_go(old)
            return new

    def _new_worker(self, slot: Slot, checks: str) -> WorkerProcess:
        place = WorkerPlace(
            slot.number + 1,
            checks=checks,
            watches_files=self._watches_files and slot is self._slots[0],
            is_one_of_several=len(self._slots) > 1,
        )
        worker = WorkerProcess(
            place,
            slot.listener,
            [one.listener for one in self._slots if one.listener is not slot.listener],
            keep_errors=checks != ALOUD or self._watches_files,
            on_end=lambda worker: self._ended(slot, worker),
            on_change=self._changed,
        )
        self._processes.add(worker)
        self._nobody_left.clear()
        return worker

    def _keep_filled(self, slot: Slot, wait: float, checks: str = QUIETLY) -> None:
        """Until somebody serves in a slot, with pauses that grow."""
        while not self._stop.wait(wait) and slot.worker is None:
            worker = self._fill(slot, checks)
            if self._stop.is_set():
                return
            if worker.is_serving:
                if self._is_begun:
                    self._report(f"{worker} serves.")
                return
            wait = slot.restarts.died(0)
            self._complain(worker, f"the next try is in {wait:.0f} s", logging.INFO)

    # Replacing

    def _changed(self, path: str) -> None:
        self._report(f"{path} changed, reloading.")
        self._reload.set()

    def _replace_all(self) -> None:
        """One after the other, each when the new one serves; none that would not."""
        checks = QUIETLY
        for number, slot in enumerate(self._slots):
            worker = self._fill(slot, checks)
            if self._stop.is_set():
                return
            if not worker.is_serving:
                self._complain(worker, _not_replaced(len(self._slots) - number, len(self._slots)))
                if self._watches_files:
                    gevent.spawn(self._wait_for_mending, worker.last_words)
                return
            checks = NOT_AT_ALL  # the others run the same code
        if len(self._slots) == 1:
            self._on_ready()  # as runserver says it
        else:
            self._report(f"All {len(self._slots)} workers were replaced.")

    def _wait_for_mending(self, last_words: str) -> None:
        if reload.wait_for_a_change(self._reload, reload.files_of(last_words)):
            self._reload.set()

    def _let_go(self, worker: WorkerProcess) -> None:
        worker.leave()
        self._wait_for(worker.ended, self._leave_limit)
        if not self._stop.is_set() and not worker.ended.is_set():
            worker.kill("did not leave in time")

    # Watching

    def _look_for_silent_ones(self) -> None:
        suspects: set[WorkerProcess] = set()
        while True:
            gevent.sleep(LOOK_EVERY)
            silent = {worker for worker in self._processes if worker.silent_for > self._patience(worker)}
            # Twice: it may have been us who slept, and what it has sent is still to be read.
            for worker in silent & suspects:
                worker.kill(f"was silent for {worker.silent_for:.0f} s")
            suspects = silent
            self._share_queues()

    def _share_queues(self) -> None:
        """Let workers accept for those that cannot, dead or silent, where each has a socket of its own."""
        able = [slot for slot in self._slots if slot.worker is not None and _accepts(slot.worker)]
        waiting = [slot.listener for slot in self._slots if slot not in able]
        for number, slot in enumerate(able):
            assert slot.worker is not None
            shared = {one.fileno() for one in waiting[number :: len(able)] if one is not slot.listener}
            slot.worker.cover(shared)

    def _patience(self, worker: WorkerProcess) -> float:
        if self._watches_files:
            return float("inf")  # somebody looks at it with a debugger
        limit = self._config.worker_timeout
        return limit if worker.is_ready else max(limit, START_LIMIT)

    def _ended(self, slot: Slot, worker: WorkerProcess) -> None:
        self._processes.discard(worker)
        if not self._processes:
            self._nobody_left.set()
        if self._stop.is_set():
            return
        if worker is slot.worker:
            slot.worker = None
            self._share_queues()
            wait = slot.restarts.died(worker.served)
            log.warning("%s %s; another one starts %s", worker, worker.how_it_ended, _when(wait))
            gevent.spawn(self._keep_filled, slot, wait)
        elif worker.is_leaving and worker.status != 0:
            log.warning("%s %s while it was leaving", worker, worker.how_it_ended)

    def _complain(self, worker: WorkerProcess, consequence: str, again: int = logging.ERROR) -> None:
        """Say why a worker does not start; the whole of it once, however often that happens."""
        words = worker.last_words.strip()
        complaint = words.rpartition("\n")[2] or worker.how_it_ended
        if complaint == self._complaint:
            log.log(again, "%s did not start, as before: %s; %s", worker, complaint, consequence)
            return
        self._complaint = complaint
        log.error("%s did not start: it %s; %s\n%s", worker, worker.how_it_ended, consequence, words)

    # Ending

    @property
    def _leave_limit(self) -> float:
        return 2 * self._config.drain_timeout + LEAVE_SLACK

    def _end_all(self) -> None:
        for worker in list(self._processes):
            if not worker.is_leaving:  # a second time would hurry it
                worker.leave(among=len(self._processes))
        if not self._processes:
            return
        gevent.wait([self._nobody_left, self._hurry], timeout=self._leave_limit, count=1)
        if self._hurry.is_set():
            for worker in list(self._processes):
                worker.leave()
            self._nobody_left.wait(HURRY)
        for worker in list(self._processes):
            worker.kill("did not leave in time")
        self._nobody_left.wait(LEAVE_SLACK)


def _accepts(worker: WorkerProcess) -> bool:
    return worker.is_serving and not worker.is_leaving and worker.silent_for < COVER_AFTER


def _not_replaced(number: int, count: int) -> str:
    return "the code before it serves on" if count == 1 else f"{number} of {count} are not replaced"


def _when(seconds: float) -> str:
    return f"in {seconds:.0f} s" if seconds else "now"
