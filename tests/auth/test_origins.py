import pytest
from django.test import RequestFactory, override_settings

from realtime_wall.auth.origins import problem_with
from realtime_wall.config import Config

pytestmark = pytest.mark.usefixtures("any_host")


@pytest.fixture
def any_host():
    with override_settings(ALLOWED_HOSTS=["*"]):
        yield


def handshake(origin=None, *, host="example.com", secure=False, cookie=None, **headers):
    if origin is not None:
        headers["Origin"] = origin
    if cookie is not None:
        headers["Cookie"] = cookie
    headers["Host"] = host
    headers.setdefault("Upgrade", "websocket")
    return RequestFactory().get("/ws/", secure=secure, headers=headers)


def is_allowed(*args, allowed_origins=(), **kwargs):
    return problem_with(handshake(*args, **kwargs), Config(allowed_origins=list(allowed_origins))) is None


@pytest.mark.parametrize(
    ("host", "secure", "origin"),
    [
        ("example.com", False, "http://example.com"),
        ("example.com", True, "https://example.com"),
        ("example.com:8000", False, "http://example.com:8000"),
        ("example.com:80", False, "http://example.com"),
        ("example.com", False, "http://example.com:80"),
        ("example.com:443", True, "https://example.com"),
        ("EXAMPLE.com", False, "http://example.COM"),
        ("example.com", False, "HTTP://example.com"),
        ("127.0.0.1:8000", False, "http://127.0.0.1:8000"),
        ("[::1]:8000", False, "http://[::1]:8000"),
        ("xn--bcher-kva.example", True, "https://xn--bcher-kva.example"),
    ],
)
@pytest.mark.parametrize("cookie", [None, "sessionid=abc"])
def test_a_page_of_the_same_origin_may_connect(host, secure, origin, cookie):
    assert is_allowed(origin, host=host, secure=secure, cookie=cookie)


@pytest.mark.threat("S31")
@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "http://example.com.evil.example",
        "http://evilexample.com",
        "http://sub.example.com",
        "http://com",
        "http://example.com:8000",
        "https://example.com",
        "ws://example.com",
        "file://",
        "null",
        "",
        "*",
        "example.com",
        "//example.com",
        "http://",
        "http://example.com/",
        "http://example.com/path",
        "http://example.com?query",
        "http://example.com#fragment",
        "http://example.com@evil.example",
        "http://user@example.com",
        "http://user:password@example.com",
        "http://example.com.",
        "http://example.com:",
        "http://example.com:0",
        "http://example.com:port",
        "http://example.com:99999",
        "http://example.com http://evil.example",
        "http://example.com, http://evil.example",
        "http://ex\tample.com",
        "http://[::1",
        "http://b\u00fccher.example",
        "http://example.com\\@evil.example",
        "chrome-extension://abcdefgh",
    ],
)
@pytest.mark.parametrize("cookie", [None, "sessionid=abc"])
def test_a_page_of_another_origin_may_not(origin, cookie):
    assert not is_allowed(origin, cookie=cookie)


def test_a_secure_page_is_not_the_same_origin_as_an_open_one():
    assert not is_allowed("http://example.com", secure=True)


def test_other_origins_may_be_named():
    allowed = ["https://www.example.org", "http://localhost:3000"]

    assert is_allowed("https://www.example.org", allowed_origins=allowed)
    assert is_allowed("https://www.example.org:443", allowed_origins=allowed)
    assert is_allowed("http://localhost:3000", allowed_origins=allowed)
    assert is_allowed("http://example.com", allowed_origins=allowed)
    assert not is_allowed("http://www.example.org", allowed_origins=allowed)
    assert not is_allowed("https://example.org", allowed_origins=allowed)
    assert not is_allowed("http://localhost:3001", allowed_origins=allowed)


@pytest.mark.parametrize("entry", ["*", "null", "", "example.org", "http://"])
def test_an_entry_that_is_no_origin_lets_nobody_in(entry):
    for origin in (entry, "null", "http://example.org", "http://evil.example"):
        assert not is_allowed(origin, allowed_origins=[entry])


def test_a_program_without_an_origin_may_connect():
    assert is_allowed()


@pytest.mark.threat("S31")
def test_with_a_visitor_s_cookies_it_may_not():
    assert not is_allowed(cookie="sessionid=abc")


def test_a_browser_names_no_origin_in_a_plain_request_of_a_page_of_ours():
    fields = {"headers": {"Host": "example.com", "Cookie": "sessionid=abc"}}

    assert problem_with(RequestFactory().get("/socket.io/", **fields), Config()) is None
    assert problem_with(RequestFactory().post("/socket.io/", **fields), Config()) is not None


@pytest.mark.parametrize(
    ("site", "allowed"), [("cross-site", False), ("same-site", False), ("same-origin", True), ("none", True)]
)
def test_a_browser_says_whether_another_site_asked(site, allowed):
    assert is_allowed(**{"Sec-Fetch-Site": site}) is allowed


@pytest.mark.threat("S28")
def test_a_host_that_is_not_ours_is_refused():
    with override_settings(ALLOWED_HOSTS=["example.com"]):
        problem = problem_with(handshake("http://evil.example", host="evil.example"), Config())

    assert "evil.example" in problem
    assert "ALLOWED_HOSTS" in problem


def test_a_refusal_says_what_is_allowed_and_which_setting_to_change():
    config = Config(allowed_origins=["https://www.example.org"])

    problem = problem_with(handshake("http://evil.example"), config)

    assert problem.startswith(
        "origin 'http://evil.example' is not allowed; allowed: http://example.com, https://www.example.org."
    )
    assert "REALTIME_WALL['ALLOWED_ORIGINS']" in problem


@pytest.mark.threat("S44")
def test_a_hostile_origin_is_quoted_in_the_refusal():
    problem = problem_with(handshake("http://a\x1b[31m"), Config())

    assert "\x1b" not in problem


# What ALLOWED_ORIGINS may say


@pytest.mark.parametrize(
    ("entry", "origin"),
    [
        ("https://*.example.com", "https://www.example.com"),
        ("https://*.example.com", "https://a.b.example.com"),
        ("https://*.example.com:8443", "https://www.example.com:8443"),
        ("capacitor://localhost", "capacitor://localhost"),
        ("ionic://localhost", "ionic://localhost"),
        ("chrome-extension://abcdefghijklmnop", "chrome-extension://abcdefghijklmnop"),
        ("tauri://localhost", "tauri://localhost"),
    ],
)
def test_subdomains_and_the_shells_of_apps_are_let_in_by_name(entry, origin):
    assert is_allowed(origin, host="site.example", secure=True, cookie="a=b", allowed_origins=[entry])
    assert not is_allowed(origin, host="site.example", secure=True, allowed_origins=["https://other.example"])


@pytest.mark.parametrize(
    "origin",
    [
        "https://example.com",
        "http://www.example.com",
        "https://www.example.com:8443",
        "https://wwwexample.com",
        "https://www.example.com.evil.example",
        "https://evil.example/.example.com",
        "https://*.example.com",
        "capacitor://www.example.com",
    ],
)
def test_a_pattern_of_subdomains_lets_nobody_else_in(origin):
    assert not is_allowed(origin, host="site.example", secure=True, allowed_origins=["https://*.example.com"])


@pytest.mark.parametrize("method", ["get", "post"])
def test_cookies_without_an_origin_are_let_in_by_one_word(method):
    upgrade = {"Upgrade": "websocket"} if method == "get" else {}
    request = getattr(RequestFactory(), method)("/x/", headers={"Cookie": "a=b", **upgrade})

    assert "'none'" in problem_with(request, Config())
    assert problem_with(request, Config(allowed_origins=["none"])) is None


@pytest.mark.threat("S31")
def test_even_then_a_browser_from_elsewhere_is_refused():
    assert not is_allowed(cookie="a=b", allowed_origins=["none"], **{"Sec-Fetch-Site": "cross-site"})
    assert not is_allowed("null", cookie="a=b", allowed_origins=["none"])
