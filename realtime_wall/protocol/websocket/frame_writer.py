"""How are our messages put into WebSocket frames? (RFC 6455 5.2)"""

from __future__ import annotations

from websockets.exceptions import ProtocolError
from websockets.frames import Close as ClosePayload
from websockets.frames import CloseCode

from realtime_wall.protocol.websocket.frames import BINARY, CLOSE, FIN, PING, PONG, TEXT

# Codes that stand for "the connection ended like this" and never travel in a frame.
_NO_CODE = frozenset(
    {CloseCode.NO_STATUS_RCVD.value, CloseCode.ABNORMAL_CLOSURE.value, CloseCode.TLS_HANDSHAKE.value}
)
_REASON_SIZE = 123

_SHORT_HEADS = [bytes((FIN | TEXT, size)) for size in range(126)]


def text_frame(payload: bytes) -> bytes:
    size = len(payload)
    return _SHORT_HEADS[size] + payload if size < 126 else _frame(TEXT, payload)


def binary_frame(payload: bytes) -> bytes:
    return _frame(BINARY, payload)


def ping_frame(data: bytes = b"") -> bytes:
    return _frame(PING, data)


def pong_frame(data: bytes) -> bytes:
    return _frame(PONG, data)


def close_frame(code: int, reason: str = "") -> bytes:
    """A close frame; codes that never travel (1005, 1006, 1015) are written as no code at all."""
    if code in _NO_CODE:
        return _frame(CLOSE, b"")
    try:
        return _frame(CLOSE, ClosePayload(code, _cut(reason)).serialize())
    except ProtocolError:
        raise ValueError(f"{code} is no code to close a WebSocket with") from None


def _cut(reason: str) -> str:
    return reason.encode("utf-8", "replace")[:_REASON_SIZE].decode("utf-8", "ignore")


def _frame(opcode: int, payload: bytes) -> bytes:
    size = len(payload)
    if size < 126:
        return bytes((FIN | opcode, size)) + payload
    if size < 65536:
        return bytes((FIN | opcode, 126)) + size.to_bytes(2, "big") + payload
    return bytes((FIN | opcode, 127)) + size.to_bytes(8, "big") + payload
