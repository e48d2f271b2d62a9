"""A ticket is good for the request that it was issued to, for a while, and was not changed."""

import pytest
from django.test import override_settings
from hypothesis import example, given
from hypothesis import strategies as st

from realtime_wall.auth.return_ticket import LONGEST, BadTicket, Ticket, TicketSigner, bound_to
from realtime_wall.config import Config, from_mapping

NOW = 1_800_000_000
META = {
    "wsgi.url_scheme": "https",
    "PATH_INFO": "/ws/",
    "QUERY_STRING": "room=1",
    "HTTP_HOST": "site.example",
    "HTTP_ORIGIN": "https://site.example",
    "HTTP_COOKIE": "sessionid=abcdefgh",
    "HTTP_USER_AGENT": "Browser/1",
    "HTTP_SEC_WEBSOCKET_KEY": "another each time",
}
SIGNER = TicketSigner(["new", "old"], "rules", 120)
TICKET = Ticket(NOW, "cl", *(SIGNER.marks(kind, "1")[0] for kind in ("user", "password")), ("staff", "a b"))
BOUND = bound_to(META, "192.0.2.1", "visit")
TEXT = SIGNER.sign(TICKET, BOUND)


def is_read(text, bound=BOUND, now=NOW, signer=SIGNER):
    try:
        signer.read(text, bound, now)
    except BadTicket:
        return False
    return True


@given(
    st.integers(0, 2**40),
    st.sampled_from(["", "c", "l", "cl"]),
    st.booleans(),
    st.lists(st.text(max_size=20), max_size=5),
    st.text(),
)
def test_what_was_signed_is_read_again(issued, flags, is_known, channels, bound):
    marks = (SIGNER.marks("user", "1")[0], SIGNER.marks("password", "2")[0]) if is_known else ("", "")
    ticket = Ticket(issued, flags, *marks, tuple(channels))
    text = SIGNER.sign(ticket, bound)

    assert SIGNER.read(text, bound, issued) == ticket
    assert len(text) <= LONGEST


@given(st.text(max_size=300))
@example("")
@example("." * 5)
@pytest.mark.threat("S35")
def test_no_other_text_is_one(text):
    assert is_read(text) is (text == TEXT)


@given(st.integers(0, len(TEXT) - 1), st.characters())
@pytest.mark.threat("S35")
def test_one_changed_character_spoils_it(place, character):
    changed = TEXT[:place] + character + TEXT[place + 1 :]

    assert is_read(changed) is (changed == TEXT)


@pytest.mark.parametrize("name", [name for name in META if name != "HTTP_SEC_WEBSOCKET_KEY"])
@pytest.mark.threat("S35")
def test_it_is_good_for_the_same_request_only(name):
    assert not is_read(TEXT, bound_to({**META, name: "another"}, "192.0.2.1", "visit"))
    assert not is_read(TEXT, bound_to({key: META[key] for key in META if key != name}, "192.0.2.1", "visit"))


def test_it_is_good_from_the_same_address_and_for_the_same_visit_only():
    assert not is_read(TEXT, bound_to(META, "192.0.2.2", "visit"))
    assert not is_read(TEXT, bound_to(META, "192.0.2.1", "another"))


def test_what_differs_between_two_connections_of_one_client_does_not_matter():
    query = "since=a:1&room=1&session=visit&ticket=x"
    meta = {**META, "HTTP_SEC_WEBSOCKET_KEY": "b", "QUERY_STRING": query}

    assert bound_to(meta, "192.0.2.1", "visit") == BOUND


@override_settings(SECURE_PROXY_SSL_HEADER=("HTTP_X_SCHEME", "https"))
def test_a_header_that_says_the_scheme_is_bound():
    assert bound_to({**META, "HTTP_X_SCHEME": "http"}, "", "") != bound_to(
        {**META, "HTTP_X_SCHEME": "https"}, "", ""
    )


@pytest.mark.parametrize(
    ("age", "is_good"), [(0, True), (120, True), (121, False), (-10, True), (-11, False)]
)
def test_it_has_an_age(age, is_good):
    assert is_read(TEXT, now=NOW + age) is is_good


def test_a_key_that_was_replaced_is_good_while_it_is_kept():
    signed_by_old = TicketSigner(["old"], "rules", 120).sign(TICKET, BOUND)

    assert is_read(signed_by_old)
    assert not is_read(signed_by_old, signer=TicketSigner(["new"], "rules", 120))
    assert set(TicketSigner(["old"], "", 1).marks("user", "1")) < set(SIGNER.marks("user", "1"))


def test_with_another_setting_about_who_may_come_none_is_good():
    config = Config()
    text = TicketSigner.of_site(config).sign(TICKET, BOUND)

    assert is_read(text, signer=TicketSigner.of_site(config))
    with override_settings(MIDDLEWARE=[]):
        assert not is_read(text, signer=TicketSigner.of_site(config))
    other = from_mapping({"ALLOWED_ORIGINS": ["https://other.example"]})
    assert not is_read(text, signer=TicketSigner.of_site(other))


def test_nothing_of_the_user_stands_in_it():
    marks = SIGNER.marks("user", "4711")

    assert all("4711" not in mark for mark in marks)
    assert SIGNER.marks("password", "4711") != marks


def test_channels_that_have_no_room_are_asked_about_anew():
    many = Ticket(NOW, channels=tuple(f"a channel with a long name {number}" for number in range(64)))

    assert SIGNER.read(SIGNER.sign(many, BOUND), BOUND, NOW).channels == ()
