"""Any token, ticket or signature of a webhook: good are those that we made, to the last bit, no others."""

import base64
import hashlib
import hmac

from realtime_wall.auth.channel_token import allows, channel_token
from realtime_wall.auth.return_ticket import BadTicket, Ticket, TicketSigner
from realtime_wall.wall.sources.webhook_signature import BadSignature, signature_of

TOKEN = channel_token("news.*", write=True, max_age=10**9).encode()
SIGNER = TicketSigner(["new", "old"], "rules", 120)
ISSUED = Ticket(1_800_000_000, "c", *SIGNER.marks("user", "1"), ("staff room",))
TICKET = SIGNER.sign(ISSUED, "this request").encode()
SECRET, BODY, NOW = "the harbour at night", b'{"text": "Doors"}', 1_800_000_000
MADE = base64.b64encode(hmac.new(SECRET.encode(), b"a-1.1800000000." + BODY, hashlib.sha256).digest())
SIGNED = b"a-1\n1800000000\nv1," + MADE
NAMES = ("webhook-id", "webhook-timestamp", "webhook-signature")


def changed(data: bytes, whole: bytes) -> bytes:
    """Two bytes say where, one how many are taken away, and the rest is put there."""
    if len(data) < 3:
        return whole
    place = (data[0] << 8 | data[1]) % (len(whole) + 1)
    return whole[:place] + data[3:] + whole[place + data[2] :]


def parse(data: bytes) -> None:
    given = changed(data[1:], TOKEN)
    good = allows(given.decode("latin-1"), "news.today", write=bool(data[:1] < b"\x80"), user=None)
    assert good is (given == TOKEN)
    given = changed(data[1:], TICKET).decode("latin-1")
    try:
        assert SIGNER.read(given, "this request", ISSUED.issued) == ISSUED
        assert given == TICKET.decode()
    except BadTicket:
        assert given != TICKET.decode()
    lines = changed(data[1:], SIGNED)
    headers = dict(zip(NAMES, lines.decode("latin-1").split("\n"), strict=False))
    try:
        signature = signature_of(headers, NOW)
        if signature is not None:
            signature.check(BODY, SECRET)
            # Of other lines only those are good that say the same: further signatures beside the true one.
            assert (
                MADE in lines
                and headers["webhook-id"] == "a-1"
                and headers["webhook-timestamp"] == "1800000000"
            )
    except BadSignature as problem:
        assert str(problem)
