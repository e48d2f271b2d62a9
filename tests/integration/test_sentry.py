"""Sentry hears of a receiver that fails: once, with its traceback, and with nothing of another visitor's."""

import pytest
import sentry_sdk
from sentry_sdk.integrations.django import DjangoIntegration
from sentry_sdk.integrations.logging import LoggingIntegration
from sentry_sdk.transport import Transport

from realtime_wall.events import on_event
from realtime_wall.testing import Realtime
from tests.fakes import no_receivers


class Kept(Transport):
    """What would be sent to Sentry."""

    def __init__(self, options=None):
        super().__init__(options)
        self.events = []

    def capture_envelope(self, envelope):
        event = envelope.get_event()
        if event is not None:
            self.events.append(event)


@pytest.fixture
def sentry():
    kept = Kept()
    sentry_sdk.init(
        dsn="https://key@sentry.example/1",
        transport=kept,
        integrations=[DjangoIntegration(), LoggingIntegration()],
        # The others patch the process for good: each program that a later test starts would hear of it.
        default_integrations=False,
    )
    yield kept.events
    sentry_sdk.init(default_integrations=False)


def test_a_receiver_that_fails_is_one_event_of_its_own(sentry):
    with no_receivers(), Realtime() as realtime:

        @on_event(name="say")
        def say(request, socket, context, event):
            sentry_sdk.set_tag(event.data, "was here")
            if event.data == "ada":
                raise ValueError("on purpose")
            return True

        ada, grace = realtime.connect(), realtime.connect()
        assert grace.call("say", "grace") is True
        assert ada.call("say", "ada") == {"error": "failed"}
        assert grace.call("say", "grace") is True

    (event,) = sentry
    (raised,) = event["exception"]["values"]
    assert (raised["type"], raised["value"]) == ("ValueError", "on purpose")
    assert raised["stacktrace"]["frames"][-1]["function"] == "say"
    assert event["logger"] == "realtime_wall.sockets.dispatch.receivers"
    assert event["tags"] == {"ada": "was here"}
