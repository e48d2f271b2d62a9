"""Which of a client's offers of permessage-deflate (RFC 7692) do we accept, and how is that answered?

Always without context takeover, in both directions: a message that is deflated alone is the same bytes for
every client, and between two messages nothing is kept for one. The header is a stranger's: it is read once,
from left to right.
"""

from __future__ import annotations

from typing import NamedTuple

NAME = "permessage-deflate"
# Browsers make one, a careful client two. More parameters than there are is no offer of this.
MAX_OFFERS = 8
MAX_PARAMETERS = 4
MAX_WINDOW_BITS = 15
# zlib cannot deflate for the smallest window, 8: such an offer is declined.
_OUR_WINDOWS = {str(bits): bits for bits in range(9, MAX_WINDOW_BITS + 1)}
_WINDOWS = {*_OUR_WINDOWS, "8"}


class AcceptedOffer(NamedTuple):
    window_bits: int  # of what we deflate
    answer: str  # for Sec-WebSocket-Extensions


def accept(header: str) -> AcceptedOffer | None:
    """The first offer that can be met; None, and messages stay as they are."""
    for offer in header.split(",", MAX_OFFERS)[:MAX_OFFERS]:
        name, *parameters = offer.split(";", MAX_PARAMETERS + 1)
        if name.strip() == NAME and len(parameters) <= MAX_PARAMETERS:
            found = _accept(parameters)
            if found is not None:
                return found
    return None


def _accept(parameters: list[str]) -> AcceptedOffer | None:
    answer = f"{NAME}; server_no_context_takeover; client_no_context_takeover"
    values: dict[str, str | None] = {}
    for parameter in parameters:
        name, value = _parameter(parameter)
        if name in values:
            return None
        values[name] = value
    ours = values.pop("server_max_window_bits", str(MAX_WINDOW_BITS))
    # What the client deflates we read whatever its window.
    theirs = values.pop("client_max_window_bits", None)
    window_bits = _OUR_WINDOWS.get(ours or "")
    if window_bits is None or (theirs is not None and theirs not in _WINDOWS):
        return None
    for name in ("server_no_context_takeover", "client_no_context_takeover"):
        if values.pop(name, None) is not None:
            return None
    if values:
        return None
    if window_bits < MAX_WINDOW_BITS:
        answer += f"; server_max_window_bits={window_bits}"
    return AcceptedOffer(window_bits, answer)


def _parameter(text: str) -> tuple[str, str | None]:
    name, equals, value = text.partition("=")
    value = value.strip()
    if len(value) > 1 and value[0] == value[-1] == '"':
        value = value[1:-1]
    return name.strip(), value if equals else None
