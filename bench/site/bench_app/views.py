"""What the bench asks of the server from inside."""

import json
import random
import time

import gevent
from django.conf import settings
from django.contrib.auth import get_user_model, login, logout
from django.db import connection
from django.db.backends.signals import connection_created
from django.http import HttpResponse, JsonResponse
from django.test.utils import CaptureQueriesContext
from django.views.decorators.csrf import csrf_exempt
from gevent import get_hub

from realtime_wall import broadcast, broadcast_channel, cursor, publish
from realtime_wall.node import node

TICK = 0.0005
_gaps = []
_timer = None


def user(request):
    return HttpResponse(f"user {request.user}")


def log_in(request):
    """Sign in once more; the cookie of this session."""
    login(request, get_user_model().objects.get(username="visitor"))
    request.session.save()
    return HttpResponse(f"{settings.SESSION_COOKIE_NAME}={request.session.session_key}")


def log_out(request):
    """How many queries it took, those for the sockets included."""
    with CaptureQueriesContext(connection) as queries:
        logout(request)
    return HttpResponse(len(queries))


# As compressible as prose: to a half, about.
_words = ["".join(random.Random(seed).choices("etaoinshrdlu", k=2 + seed % 8)) for seed in range(500)]
WORDS = " ".join(random.Random(1).choices(_words, k=20_000))


def publish_many(request):
    """Publish one message after the other, each delivered before the next."""
    size, channel = int(request.GET["size"]), request.GET["channel"]
    message = WORDS[:size] if "words" in request.GET else "x" * size
    for _ in range(int(request.GET["count"])):
        broadcast(message) if channel == "*" else broadcast_channel(message, channel)
    return HttpResponse("done")


@csrf_exempt
def empty(request):
    return HttpResponse()


def burst(request):
    """Publish messages without waiting for any; first, if asked to, for so many listeners."""
    query = request.GET
    while node.this_node().subscriptions.count(query["channel"]) < int(query.get("wait", 0)):
        gevent.sleep(0.05)
    for number in range(int(query["count"])):
        publish(query["channel"], f"burst-{number}")
    return HttpResponse("done")


def stamp(request):
    """Broadcast the time at which it is called."""
    broadcast_channel(time.monotonic(), request.GET["channel"])
    return HttpResponse("done")


def pump(request):
    """Broadcast so many stamps at a steady rate: each is the time at which it was to be sent."""
    query = request.GET
    gevent.spawn(_pump, query["channel"], 1 / float(query["rate"]), int(query["count"]))
    return HttpResponse("begun")


def _pump(channel, interval, count):
    begun = time.monotonic()
    for number in range(count):
        due = begun + number * interval
        gevent.sleep(max(due - time.monotonic(), 0))
        broadcast_channel(due, channel)


def stall(request):
    """The longest work between two ticks of the event loop since the last call, in CPU seconds.

    Of its thread: what else the machine does falls on none of them.
    """
    global _timer
    longest = max((b - a for a, b in zip(_gaps, _gaps[1:], strict=False)), default=0.0)
    _gaps.clear()
    if _timer is None:
        _timer = get_hub().loop.timer(TICK, TICK)
        _timer.start(lambda: _gaps.append(time.thread_time()))
    return JsonResponse({"seconds": longest})


def json_document(size):
    """Many small objects, as an API gives them."""
    row = {"id": "1234567890", "name": "A. Nonymous", "tags": ["one", "two"], "score": 1.5, "ok": True}
    return {"type": "document", "id": 1, "message": [row] * (size // (len(json.dumps(row)) + 2) - 1)}


def queries(request):
    """How many queries this process has made since it was last asked, on any connection."""
    count, _queries[:] = len(_queries), []
    return JsonResponse({"queries": count})


def position(request):
    return HttpResponse(cursor())


_queries = []


def _note_queries(connection, **_):
    def note(execute, sql, params, many, context):
        _queries.append(sql)
        return execute(sql, params, many, context)

    connection.execute_wrappers.append(note)


connection_created.connect(_note_queries)
