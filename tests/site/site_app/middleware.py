"""What a site's own middleware does to every response, and a count of the requests it saw."""

from django.core.signals import request_finished, request_started

counts = {"started": 0, "finished": 0}


def count_started(sender, **_):
    counts["started"] += 1


def count_finished(sender, **_):
    counts["finished"] += 1


request_started.connect(count_started)
request_finished.connect(count_finished)


class MarkingMiddleware:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        response["X-Site"] = "seen"
        if "cookie" in request.GET:
            response.set_cookie("site", request.GET["cookie"])
            response.set_cookie("second", "too")
        return response
