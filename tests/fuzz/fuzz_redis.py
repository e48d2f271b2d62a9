"""Whatever is in Redis, on the bus or in an inbox: an entry of this site's, or a MalformedEntry.

Without a good signature nothing is read as an entry; with one, it may still be an older or newer version's.
"""

import contextlib
import json

from realtime_wall.brokers.redis.bus_codec import BusCodec, MalformedEntry
from realtime_wall.brokers.redis.signature import PUBLISHED, Signatures
from realtime_wall.channels.rules import Rules
from realtime_wall.config import Config
from tests.fuzz.mutated import mutated

SIGNATURES = Signatures(["the key of this site"])
CODEC = BusCodec("p", Rules({}, Config()), 100, 100, SIGNATURES)
BODY = {
    "i": "7",
    "c": "news",
    "d": '"hello"',
    "e": "said",
    "b": '["{}", "YQ=="]',
    "k": "k",
    "from": "abcdefgh",
}
HEAD = b'{"ep":"e","o":7,"n":1,"t":1.5,"s":9,'
ENTRY = HEAD + SIGNATURES.closed(PUBLISHED, json.dumps(BODY, separators=(",", ":"))[1:-1]).encode() + b"}"
ENVELOPE = SIGNATURES.sealed("abcdefgh", '{"from":"a","call":"b","request":{}}').encode()


def changed(data: bytes, whole: bytes) -> bytes:
    """Two bytes say where, one how many are taken away, and the rest is put there."""
    place = (data[0] << 8 | data[1]) % (len(whole) + 1)
    return whole[:place] + data[3:] + whole[place + data[2] :]


def signed_of(entry: bytes) -> bytes:
    return entry[entry.find(b'"i"') :]


def parse(data: bytes) -> None:
    which, data = (data[:1] or b"\0")[0] % 3, data[1:]
    if which == 0 and len(data) > 2:  # a stranger who has seen an entry
        text = changed(data, ENTRY)
        is_ours = signed_of(text) == signed_of(ENTRY)
    elif which == 1:  # somebody who knows the key
        body = mutated(BODY, data)
        text = json.dumps(body, separators=(",", ":"), ensure_ascii=True)[1:-1]
        text, is_ours = HEAD + SIGNATURES.closed(PUBLISHED, text).encode() + b"}", True
    else:
        text, is_ours = data, False
    try:
        epoch, entry = CODEC.entry_of(text)
        assert entry is None or is_ours
        assert isinstance(epoch, str)
    except MalformedEntry as problem:
        assert str(problem)
    with contextlib.suppress(MalformedEntry):
        CODEC.kept_entry(text, "e")
    envelope = changed(data, ENVELOPE) if len(data) > 2 else data
    with contextlib.suppress(ValueError):
        SIGNATURES.read_envelope("abcdefgh", envelope)
        assert envelope == ENVELOPE
