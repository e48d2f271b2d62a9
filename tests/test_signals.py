import gc
import random

import pytest
from blinker import ANY
from django.dispatch import receiver as django_receiver

from realtime_wall import signals
from realtime_wall.signals import Signal, SignalsByName


class Somebody:
    """A sender; that it can be referred to weakly is all that a signal asks of one."""


class Recorder:
    def __init__(self):
        self.heard = []

    def named(self, name):
        def receiver(sender, **kwargs):
            self.heard.append(name)

        return receiver

    def hear(self, sender, **kwargs):
        self.heard.append("hear")


@pytest.fixture
def signal():
    return Signal("something_happened")


@pytest.fixture
def recorder():
    return Recorder()


def run(signal, sender=None):
    for receiver in signal.receivers_for(sender):
        receiver(sender)


# Order


def test_receivers_run_in_the_order_in_which_they_were_connected(signal, recorder):
    names = [f"receiver {number}" for number in range(50)]
    for name in names:
        signal.connect(recorder.named(name), weak=False)

    run(signal)

    assert recorder.heard == names


def test_the_order_is_one_for_receivers_of_everybody_and_of_one_sender(signal, recorder):
    somebody = Somebody()
    names = [f"receiver {number}" for number in range(50)]
    for name in names:
        signal.connect(
            recorder.named(name), sender=random.Random(name).choice([somebody, None, ANY]), weak=False
        )

    run(signal, somebody)

    assert recorder.heard == names


def test_a_receiver_of_everybody_and_of_one_sender_has_its_first_place(signal, recorder):
    somebody = Somebody()
    first, second = recorder.named("first"), recorder.named("second")
    signal.connect(first, sender=somebody)
    signal.connect(second)
    signal.connect(first)

    run(signal, somebody)

    assert recorder.heard == ["first", "second"]


def test_a_receiver_that_is_connected_again_keeps_its_place(signal, recorder):
    first, second = recorder.named("first"), recorder.named("second")
    signal.connect(first)
    signal.connect(second)
    signal.connect(first)

    run(signal)

    assert recorder.heard == ["first", "second"]


def test_a_receiver_that_was_disconnected_and_comes_back_is_last(signal, recorder):
    first, second = recorder.named("first"), recorder.named("second")
    signal.connect(first)
    signal.connect(second)
    signal.disconnect(first)
    signal.connect(first)

    run(signal)

    assert recorder.heard == ["second", "first"]


def test_a_receiver_that_left_its_only_sender_and_comes_back_is_last(signal, recorder):
    somebody = Somebody()
    first, second = recorder.named("first"), recorder.named("second")
    signal.connect(first, sender=somebody)
    signal.connect(second)
    signal.disconnect(first, sender=somebody)
    signal.connect(first, sender=somebody)

    run(signal, somebody)

    assert recorder.heard == ["second", "first"]


def test_methods_have_their_place_too(signal, recorder):
    early, late = recorder.named("early"), recorder.named("late")
    signal.connect(early)
    signal.connect(recorder.hear)
    signal.connect(late)

    run(signal)

    assert recorder.heard == ["early", "hear", "late"]


def test_receivers_that_died_leave_nothing_behind(signal, recorder):
    for _ in range(100):
        signal.connect(recorder.named("forgotten"))
    gc.collect()

    assert not signal.receivers
    assert not list(signal.receivers_for(None))


def test_who_comes_or_goes_after_it_was_sent_is_known_the_next_time(signal, recorder):
    first, second = recorder.named("first"), recorder.named("second")
    signal.connect(first)
    run(signal)
    signal.connect(second)
    run(signal)
    signal.disconnect(first)
    run(signal)

    assert recorder.heard == ["first", "first", "second", "second"]


def test_a_receiver_that_was_sent_to_is_forgotten_all_the_same(signal, recorder):
    receiver = recorder.named("forgotten")
    signal.connect(receiver)
    run(signal)
    del receiver
    gc.collect()

    run(signal)

    assert (recorder.heard, signal.receivers) == (["forgotten"], {})


def test_a_receiver_that_was_kept_and_is_connected_weakly_is_forgotten(signal, recorder):
    receiver = recorder.named("kept")
    signal.connect(receiver, weak=False)
    run(signal)
    signal.connect(receiver)
    del receiver
    gc.collect()

    run(signal)

    assert (recorder.heard, signal.receivers) == (["kept"], {})


# Senders


def test_a_receiver_of_one_sender_does_not_hear_another(signal, recorder):
    somebody, other = Somebody(), Somebody()
    signal.connect(recorder.hear, sender=somebody)

    run(signal, other)
    assert recorder.heard == []

    run(signal, somebody)
    assert recorder.heard == ["hear"]


def test_no_sender_means_every_sender_when_leaving_too(signal, recorder):
    signal.connect(recorder.hear, sender=None)
    signal.disconnect(recorder.hear, sender=None)

    run(signal, Somebody())

    assert recorder.heard == []


def test_a_receiver_that_leaves_one_sender_still_hears_the_other(signal, recorder):
    somebody, other = Somebody(), Somebody()
    signal.connect(recorder.hear, sender=somebody)
    signal.connect(recorder.hear, sender=other)
    signal.disconnect(recorder.hear, sender=somebody)

    run(signal, somebody)
    assert recorder.heard == []

    run(signal, other)
    assert recorder.heard == ["hear"]


# Weak and strong


def test_a_receiver_that_nobody_keeps_is_forgotten(signal, recorder):
    signal.connect(recorder.named("forgotten"))
    gc.collect()

    run(signal)

    assert recorder.heard == []


def test_a_receiver_that_is_not_held_weakly_stays(signal, recorder):
    signal.connect(recorder.named("kept"), weak=False)
    gc.collect()

    run(signal)

    assert recorder.heard == ["kept"]


def test_a_receiver_with_a_dispatch_uid_is_forgotten_like_any_other(signal, recorder):
    signal.connect(recorder.named("forgotten"), dispatch_uid="greeting")
    gc.collect()
    signal.connect(recorder.named("next"), weak=False, dispatch_uid="greeting")

    run(signal)

    assert recorder.heard == ["next"]


# Django's decorator


def test_djangos_decorator_connects_and_a_dispatch_uid_counts_once(signal, recorder):
    def imported_as(module):
        @django_receiver(signal, dispatch_uid="greeting", weak=False)
        def greet(sender, **kwargs):
            recorder.heard.append(module)

    imported_as("site.events")
    imported_as("events")
    run(signal)

    assert recorder.heard == ["site.events"]


def test_djangos_decorator_takes_a_list_of_signals(signal, recorder):
    other = Signal("something_else")

    @django_receiver([signal, other])
    def greet(sender, **kwargs):
        recorder.heard.append("greet")

    run(signal)
    run(other)

    assert recorder.heard == ["greet", "greet"]


def test_djangos_decorator_takes_a_sender(signal, recorder):
    somebody = Somebody()

    @django_receiver(signal, sender=somebody)
    def greet(sender, **kwargs):
        recorder.heard.append(sender)

    run(signal, Somebody())
    run(signal, somebody)

    assert recorder.heard == [somebody]


def test_a_dispatch_uid_counts_for_each_sender(signal, recorder):
    somebody, other = Somebody(), Somebody()
    signal.connect(recorder.named("somebody"), sender=somebody, weak=False, dispatch_uid="greeting")
    signal.connect(recorder.named("other"), sender=other, weak=False, dispatch_uid="greeting")

    run(signal, somebody)
    run(signal, other)

    assert recorder.heard == ["somebody", "other"]


def test_a_dispatch_uid_disconnects_what_it_connected(signal, recorder):
    somebody = Somebody()
    signal.connect(recorder.named("gone"), weak=False, dispatch_uid="greeting")
    signal.connect(recorder.named("gone, too"), sender=somebody, weak=False, dispatch_uid="greeting")
    signal.connect(recorder.named("kept"), weak=False, dispatch_uid="farewell")
    signal.disconnect(dispatch_uid="greeting")
    signal.disconnect(dispatch_uid="greeting", sender=somebody)

    run(signal, somebody)

    assert recorder.heard == ["kept"]


def test_a_dispatch_uid_that_was_disconnected_is_free_again(signal, recorder):
    first = recorder.named("first")
    signal.connect(first, dispatch_uid="greeting")
    signal.disconnect(first)
    signal.connect(recorder.named("second"), weak=False, dispatch_uid="greeting")

    run(signal)

    assert recorder.heard == ["second"]


def test_an_unknown_dispatch_uid_disconnects_nobody(signal, recorder):
    signal.connect(recorder.hear)
    signal.disconnect(recorder.hear, dispatch_uid="never connected")

    run(signal)

    assert recorder.heard == ["hear"]


# The signals


def test_asking_for_an_events_signal_makes_it():
    by_name = SignalsByName()

    signal = by_name["add"]

    assert isinstance(signal, Signal)
    assert signal is by_name["add"]
    assert signal is not by_name["subtract"]
    assert "add" in signal.name


def test_looking_whether_an_events_signal_exists_makes_none():
    by_name = SignalsByName()

    assert "add" not in by_name
    assert by_name.get("add") is None
    assert not by_name


@pytest.mark.parametrize(
    "name",
    [
        *("socket_connected", "socket_disconnected", "socket_finished", "socket_client_message"),
        *("socket_client_event", "socket_subscribed", "socket_unsubscribed", "socket_error"),
        *("server_started", "server_stopping"),
    ],
)
def test_every_public_signal_is_one_of_ours_and_knows_its_name(name):
    signal = getattr(signals, name)

    assert isinstance(signal, Signal)
    assert signal.name == name
    assert "sender: " in signal.__doc__
