import gc
import weakref
from contextlib import contextmanager
from contextvars import Context, ContextVar

import gevent
import pytest
from django.core.cache import caches
from django.test import override_settings
from django.utils import timezone, translation

from realtime_wall.sockets.dispatch import visitor_context
from realtime_wall.sockets.dispatch.inbox import Inbox, Pool
from tests.fakes import a_request

tenant = ContextVar("tenant")


def handshake(set_up):
    """A request, remembered in a greenlet whose middleware has set something up."""
    request = a_request()

    def serve():
        set_up()
        visitor_context.remember(request)

    gevent.spawn(Context().run, serve).get()
    return request


def speaks(language):
    return handshake(lambda: translation.activate(language))


def test_a_dispatch_has_the_language_the_zone_and_the_variables_of_its_handshake():
    def middleware():
        translation.activate("fr")
        timezone.activate("Asia/Tokyo")
        tenant.set("ours")

    def receiver():
        return translation.get_language(), timezone.get_current_timezone_name(), tenant.get()

    request = handshake(middleware)

    assert gevent.spawn(visitor_context.run, request, receiver).get() == ("fr", "Asia/Tokyo", "ours")
    assert translation.get_language() == "en-us"


def test_what_one_dispatch_sets_the_next_does_not_find():
    def receiver():
        before = translation.get_language()
        translation.activate("de")
        return before

    request = speaks("fr")

    assert [visitor_context.run(request, receiver) for _ in range(2)] == ["fr", "fr"]


def test_nothing_comes_from_the_greenlet_that_runs_it():
    tenant.set("somebody else's")
    with translation.override("de"):
        found = visitor_context.run(a_request(), lambda: (translation.get_language(), tenant.get(None)))

    assert found == ("en-us", None)


def test_visitors_with_the_same_values_share_them_and_the_last_takes_them_along():
    one, same, other = speaks("fr"), speaks("fr"), speaks("de")
    kept = [vars(request)[visitor_context._KEPT] for request in (one, same, other)]
    assert kept[0] is kept[1] is not kept[2]

    known = [weakref.ref(values) for values in kept]
    assert set(kept) <= set(visitor_context._shared.values())
    del one, same, other, kept
    gc.collect()
    assert [reference() for reference in known] == [None] * 3


def test_what_belongs_to_the_request_alone_is_not_kept():
    request = handshake(lambda: caches["default"].get("a"))

    assert visitor_context._KEPT not in vars(request)


# Jobs


class Source:
    def pause(self): ...
    def resume(self): ...


def run_jobs(request, *jobs):
    pool = Pool(10, 10)
    inbox = Inbox(pool, Source(), request)
    for job in jobs:
        inbox.put(job)
    assert pool.wait_until_idle(10)
    pool.close()


def test_jobs_run_inside_what_the_project_puts_around_them(caplog):
    seen = []

    @contextmanager
    def around(request):
        seen.append(request)
        yield
        seen.append("end")

    request = a_request()
    with override_settings(REALTIME_WALL={"RECEIVER_CONTEXT": around}):
        run_jobs(request, lambda: seen.append("job"))

    assert seen == [request, "job", "end"]


def test_what_is_around_them_may_fail_and_the_next_job_runs(caplog):
    @contextmanager
    def around(request):
        raise LookupError("no tenant")
        yield

    with override_settings(REALTIME_WALL={"RECEIVER_CONTEXT": around}):
        run_jobs(a_request(), lambda: None, lambda: None)

    assert caplog.text.count("LookupError: no tenant") == 2


@pytest.mark.parametrize("together", [False, True])
def test_what_a_dispatch_has_read_is_forgotten_unless_another_one_uses_it(monkeypatch, together):
    """Sockets of several namespaces share a request."""
    forgotten = []
    monkeypatch.setattr(visitor_context.django_sessions, "forget", forgotten.append)
    request = a_request()

    def job():
        if together:
            visitor_context.run_job(request, lambda: None)
        assert forgotten == []

    visitor_context.run_job(request, job)

    assert forgotten == [request]
