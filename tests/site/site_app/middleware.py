"""What a site's own middleware does to every response, and a count of the requests it saw."""

import asyncio
import time
import zoneinfo
from contextvars import ContextVar

from asgiref.sync import markcoroutinefunction
from django.core.signals import request_finished, request_started
from django.utils import timezone

visitor = ContextVar("visitor")

counts = {"started": 0, "finished": 0}


def count_started(sender, **_):
    counts["started"] += 1


def count_finished(sender, **_):
    counts["finished"] += 1


request_started.connect(count_started)
request_finished.connect(count_finished)


class MarkingMiddleware:
    at_returns = "never"

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if "slowly" in request.GET:
            print("slow begins", flush=True)
            time.sleep(0.3)
        response = self.get_response(request)
        response["X-Site"] = "seen"
        if "cookie" in request.GET:
            response.set_cookie("site", request.GET["cookie"])
            response.set_cookie("second", "too")
        return response


class AsyncMiddleware:
    """One that is asynchronous only, and waits."""

    sync_capable, async_capable = False, True

    def __init__(self, get_response):
        self.get_response = get_response
        markcoroutinefunction(self)

    async def __call__(self, request):
        await asyncio.sleep(0.001)
        request.seen_by = "async middleware"
        response = await self.get_response(request)
        response["X-Async"] = "seen"
        return response


class VisitorMiddleware:
    """Sets a context variable and the time zone, for the length of a request."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        token = visitor.set(request.GET.get("name", "nobody"))
        try:
            with timezone.override(zoneinfo.ZoneInfo(request.GET.get("zone", "UTC"))):
                return self.get_response(request)
        finally:
            visitor.reset(token)
