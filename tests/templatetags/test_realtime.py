"""What the template tags write into a page."""

from django.template import Context, Template
from django.test import RequestFactory


class LazyNonce:
    """False until it is written, as Django's own."""

    def __init__(self, value):
        self.value = value

    def __bool__(self):
        return False

    def __str__(self):
        return self.value


def rendered(**context):
    return Template("{% load realtime %}{% realtime_client %}").render(Context(context)).strip()


def test_the_client_is_one_external_script_that_knows_the_sockets_address():
    assert rendered() == '<script src="/static/realtime_wall/realtime.js" data-url="/ws/"></script>'


def test_it_can_be_told_of_a_server_elsewhere():
    page = Template("{% load realtime %}{% realtime_client 'wss://live.example/ws/' %}").render(Context())

    assert 'data-url="wss://live.example/ws/"' in page


def test_a_nonce_from_the_context_is_written_though_it_is_false_until_then():
    assert ' nonce="n-1"></script>' in rendered(csp_nonce=LazyNonce("n-1"))


def test_a_nonce_from_the_request_is_written_too():
    request = RequestFactory().get("/")
    request.csp_nonce = LazyNonce("n-2")

    assert ' nonce="n-2"></script>' in rendered(request=request)


def test_a_nonce_cannot_write_markup():
    assert rendered(csp_nonce='"><script>').count("<script") == 1


def test_without_a_nonce_no_attribute_is_written():
    assert "nonce" not in rendered(request=RequestFactory().get("/"))
