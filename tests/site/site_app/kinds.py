"""Middleware of the kinds that sites write for themselves: see tests/integration/test_kinds_of_sites.py."""

from contextvars import ContextVar

from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpResponse
from django.utils import timezone
from django.utils.deprecation import MiddlewareMixin

tenant = ContextVar("tenant", default="nobody")


class OldStyleMiddleware(MiddlewareMixin):
    """With all the hooks that there are."""

    def process_request(self, request):
        request.seen_by = ["request"]

    def process_view(self, request, view, args, kwargs):
        request.seen_by.append("view")

    def process_exception(self, request, exception):
        return HttpResponse("an excuse", status=500)

    def process_template_response(self, request, response):
        return response

    def process_response(self, request, response):
        response["X-Old"] = "seen"
        return response


class TenantMiddleware:
    """Whose site it is, by the host; it is forgotten with the request."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        token = tenant.set(request.get_host().partition(":")[0])
        try:
            return self.get_response(request)
        finally:
            tenant.reset(token)


class TenantURLsMiddleware:
    """A URLconf of its own for each tenant."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.urlconf = "site_app.tenant_urls"
        return self.get_response(request)


class TimeZoneMiddleware:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        timezone.activate("Pacific/Auckland")
        try:
            return self.get_response(request)
        finally:
            timezone.deactivate()


class EagerMiddleware:
    """Asks for the user and the session of every request, and writes into it."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.session["visits"] = request.session.get("visits", 0) + 1
        request.name = request.user.get_username()
        return self.get_response(request)


class MovedSessionMiddleware(SessionMiddleware):
    """A subclass with rules of its own, as sites have."""

    def process_response(self, request, response):
        response["X-Session"] = "moved"
        return super().process_response(request, response)
