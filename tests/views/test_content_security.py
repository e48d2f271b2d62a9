"""The policy of a page with our scripts."""

import pytest
from django.http import HttpResponse
from django.test import RequestFactory, override_settings

from realtime_wall.views.content_security import add_policy, strict_policy

CDN = "https://cdn.example/socket.io.min.js"


@strict_policy
def page(request):
    return HttpResponse("a page")


def policy(view=page, **request):
    """By directive."""
    header = view(RequestFactory().get("/", **request))["Content-Security-Policy"]
    return {part.split()[0]: part.split()[1:] for part in header.split("; ")}


def test_a_page_loads_files_of_the_site_and_nothing_else():
    with override_settings(REALTIME_WALL={"SOCKETIO_CLIENT": "socket.io.min.js"}):
        found = policy()

    assert found.pop("default-src") == found.pop("base-uri") == ["'none'"]
    assert found.pop("connect-src") == ["'self'", "ws://testserver"]
    assert set(map(tuple, found.values())) == {("'self'",)}
    assert found.keys() == {"script-src", "style-src", "img-src", "font-src", "form-action"}


def test_of_the_server_that_has_socketios_client_that_file_alone_may_run():
    with override_settings(REALTIME_WALL={"SOCKETIO_CLIENT": CDN + "?v=1"}):
        assert policy()["script-src"] == ["'self'", CDN]


def test_files_may_be_on_a_server_of_their_own():
    storage = {"BACKEND": "django.core.files.storage.InMemoryStorage"}
    files = {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage",
        "OPTIONS": {"base_url": "https://files.example/static/"},
    }
    with override_settings(STORAGES={"default": storage, "staticfiles": files}):
        found = policy()

    assert found["style-src"] == found["img-src"] == ["'self'", "https://files.example"]


def test_over_tls_its_sockets_are_too():
    assert policy(secure=True)["connect-src"] == ["'self'", "wss://testserver"]


@pytest.mark.parametrize("setting", ["SECURE_CSP", "CONTENT_SECURITY_POLICY"])
def test_a_site_with_a_policy_keeps_it(setting):
    with override_settings(**{setting: {"default-src": ["'self'"]}}):
        assert "Content-Security-Policy" not in page(RequestFactory().get("/"))


def test_a_view_with_a_policy_keeps_it():
    @strict_policy
    def own(request):
        return HttpResponse(headers={"Content-Security-Policy": "default-src *"})

    assert policy(own) == {"default-src": ["*"]}


def test_more_can_be_allowed():
    response = HttpResponse()
    add_policy(RequestFactory().get("/"), response, frame_src=["'self'"], img_src=["https:"])

    assert "; frame-src 'self'" in response["Content-Security-Policy"]
    assert "; img-src 'self' https:;" in response["Content-Security-Policy"]
