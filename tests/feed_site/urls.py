import time

from django.http import JsonResponse
from django.urls import include, path
from gevent import get_hub

TICK = 0.001
_gaps = []
_timer = None


def stall(request):
    """The longest gap between two ticks of the event loop since the last call, in seconds."""
    global _timer
    longest = max((b - a for a, b in zip(_gaps, _gaps[1:], strict=False)), default=0.0)
    _gaps.clear()
    if _timer is None:
        _timer = get_hub().loop.timer(TICK, TICK)
        _timer.start(lambda: _gaps.append(time.monotonic()))
    return JsonResponse({"seconds": longest})


urlpatterns = [path("stall/", stall), path("", include("project.urls"))]
