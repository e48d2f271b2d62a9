"""Is what a connection begins with a usual WebSocket handshake, and nothing else?

As every client of ours sends it, it has come as a whole before there is anything to read it with: it is read
here, once. Whatever is odd about it, or could be read in two ways, is left to pywsgi.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from realtime_wall.server.http import websocket_handshake
from realtime_wall.server.http.request_head import whole_head

# In small letters: who has it asks for a WebSocket, as a rule.
_MARK = b"\r\nsec-websocket-key:"


@dataclass(frozen=True, slots=True)
class EarlyHandshake:
    request_line: str
    environ: dict[str, Any]  # as pywsgi makes it, without what the server adds to each


def find(arrived: bytes, client: Any, head_size: int) -> EarlyHandshake | None:
    """``client`` is its address; None for whatever is left to pywsgi."""
    if _MARK not in arrived.lower():
        return None
    lines = whole_head(arrived, head_size)
    environ = None if lines is None else environ_of(lines, client)
    if lines is None or environ is None:
        return None
    if not (websocket_handshake.is_handshake(environ) and websocket_handshake.is_usual(environ)):
        return None
    return EarlyHandshake(lines[0].decode("latin-1").rstrip(), environ)


def environ_of(lines: list[bytes], client: Any) -> dict[str, Any] | None:
    """As pywsgi makes it of the same head, without what a body would need; None for what no client of ours
    sends."""
    method, target, version = lines[0].decode("latin-1").rstrip("\r\n").split(" ")
    if method != "GET" or version != "HTTP/1.1":
        return None
    path, _, query = target.partition("?")
    if "%" in path:
        return None
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_PROTOCOL": version,
        "REMOTE_ADDR": "",
    }
    if isinstance(client, tuple):
        environ["REMOTE_ADDR"], environ["REMOTE_PORT"] = str(client[0]), str(client[1])
    for line in lines[1:]:
        name, _, value = line.decode("latin-1").partition(":")
        key = _key_of(name)
        if key is None or key in environ:
            return None
        environ[key] = value.strip()
    return environ


@lru_cache(256)
def _key_of(name: str) -> str | None:
    key = "HTTP_" + name.upper().replace("-", "_")
    return None if "_" in name or key in ("HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH") else key
