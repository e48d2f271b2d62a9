import pytest
from django.template import Context, Template
from django.test import override_settings

TAGS = [
    "{% load realtime %}{% socketio_client_script %}",
    "{% load socketio %}{% socketio_client_script %}",
    "{% load socketio_tags %}{% socketio %}",
]


def rendered(template=TAGS[0], context=None, **settings):
    with override_settings(REALTIME_WALL=settings):
        return Template(template).render(Context(context or {}))


@pytest.mark.parametrize("template", TAGS)
def test_the_official_client_comes_with_the_hash_that_it_must_have(template):
    script = rendered(template)

    assert script.startswith('<script src="https://cdn.socket.io/4.')
    assert ' integrity="sha384-' in script and ' crossorigin="anonymous"' in script


def test_a_static_file_of_the_site_is_served_instead():
    assert rendered(SOCKETIO_CLIENT="js/socket.io.js") == '<script src="/static/js/socket.io.js"></script>'


def test_without_a_hash_none_is_claimed():
    script = rendered(SOCKETIO_CLIENT="https://elsewhere.example/s.js", SOCKETIO_CLIENT_INTEGRITY="")

    assert script == '<script src="https://elsewhere.example/s.js"></script>'


def test_the_sites_nonce_is_on_it():
    assert rendered(context={"csp_nonce": "abc"}).endswith(' nonce="abc"></script>')
