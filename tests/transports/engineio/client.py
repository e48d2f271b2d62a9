"""The client of an Engine.IO session, as the tests of this folder play it."""

import gevent

from realtime_wall.protocol.engineio import BadPacket
from tests.fakes import masked
from tests.live import wait_for

TEXT, BINARY, PING = 1, 2, 9


class Listener:
    """What is spoken inside a session: it notes what it hears."""

    def __init__(self):
        self.heard = []
        self.reasons = []
        self.busy = False
        self.deadline = None
        self.while_hearing = lambda: None

    def message(self, data):
        self.heard.append(data)
        self.while_hearing()
        if data == "bad":
            raise BadPacket("not what was agreed")

    def session_closed(self, reason):
        self.reasons.append(reason)

    def is_busy(self):
        return self.busy


def written(wire):
    """The payloads that were written, in order."""
    return [payload for opcode, payload in wire.frames() if opcode in (TEXT, BINARY)]


def say(wire, *texts):
    wire.owner.received(b"".join(masked(TEXT, text) for text in texts))


def polling_in_vain(session):
    """A GET that waits."""
    waiting = gevent.spawn(session.poll)
    wait_for(lambda: session._carrier.is_polled, "the poll")
    return waiting
