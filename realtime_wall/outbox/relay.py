"""Publishes what is in the table, in order, and deletes it: one server of all, the leader of the moment.

A server that is killed between the two leaves a row that is published already. It is tried again with the
same idempotency key, so the log knows it, as long as the log has outlived that server: in Redis, in a
supervisor or another server of the machine, or on disk (``LOG_DIR``).
"""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from functools import partial
from typing import cast

from realtime_wall.brokers.command_json import from_json
from realtime_wall.brokers.commands import Publish
from realtime_wall.errors import InvalidChannel, InvalidMessage
from realtime_wall.node.leader_task import LeaderTask
from realtime_wall.node.threadpool import run_in_threadpool

logger = logging.getLogger(__name__)

PORTION = 100


class Relay(LeaderTask):
    name = "outbox"
    every = 0.5  # a message that another process has written waits no longer

    def look(self) -> None:
        while not self._is_stopping and (rows := run_in_threadpool(waiting)):
            published: list[int] = []
            try:
                for row, text in rows:
                    if not self._lease.is_held:
                        break
                    if (problem := self._publish(row, text)) is None:
                        published.append(row)
                    else:
                        logger.error("message %s of the outbox cannot be published: %s", row, problem)
                        run_in_threadpool(partial(set_problem, row, problem))
            finally:
                run_in_threadpool(partial(delete, published))

    def _publish(self, row: int, text: str) -> str | None:
        """What is wrong with a message that can never be published. RealtimeWallError: not now."""
        try:
            command = cast("Publish", from_json(json.loads(text)))
            key = command.idempotency_key or f"realtime_wall.outbox {row}"
            self._node.perform(replace(command, idempotency_key=key))
        except (InvalidChannel, InvalidMessage, ValueError) as problem:
            return str(problem)
        return None


# In a thread


def waiting() -> list[tuple[int, str]]:
    from realtime_wall.outbox.models import OutboxMessage

    return list(OutboxMessage.objects.filter(problem="").values_list("id", "command")[:PORTION])


def delete(rows: list[int]) -> None:
    from realtime_wall.outbox.models import OutboxMessage

    OutboxMessage.objects.filter(id__in=rows).delete()


def set_problem(row: int, problem: str) -> None:
    from realtime_wall.outbox.models import OutboxMessage

    OutboxMessage.objects.filter(id=row).update(problem=problem)


# Elsewhere in this process


def wake() -> None:
    """Look now, if this process has the relay; another one looks soon enough by itself."""
    for relay in Relay.running.values():
        relay.wake()
