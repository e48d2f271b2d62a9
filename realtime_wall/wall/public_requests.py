"""How is an address asked over HTTP that somebody has typed? If it is public, wherever it redirects to."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError

from realtime_wall.wall.public_addresses import NoAddress, PrivateAddress, connect

MOST_REDIRECTS = 5
AGENT = "realtime_wall"


def session(private_hosts: Sequence[str] = ()) -> requests.Session:
    """It takes no proxy and no password from the environment: a stranger's server is told nothing."""
    made = requests.Session()
    made.trust_env = False
    made.max_redirects = MOST_REDIRECTS
    made.headers["User-Agent"] = AGENT
    for scheme in ("http://", "https://"):
        made.mount(scheme, _PublicAdapter(private_hosts))
    return made


def reason_of(problem: requests.RequestException) -> str:
    """In a sentence, for whoever has typed the address."""
    cause = _cause_of(problem)
    sentence = str(cause).partition("): ")[2] if isinstance(cause, NewConnectionError) else ""
    return sentence or type(problem).__name__


def is_private(problem: requests.RequestException) -> bool:
    """Whether it was not asked at all, since its address is."""
    cause = _cause_of(problem)
    return isinstance(cause, NewConnectionError) and isinstance(cause.__cause__, PrivateAddress)


def _cause_of(problem: requests.RequestException) -> object:
    cause: Any = problem.args[0] if problem.args else None
    return getattr(cause, "reason", cause)


class _PublicAdapter(HTTPAdapter):
    def __init__(self, private_hosts: Sequence[str]) -> None:
        self._private_hosts = tuple(private_hosts)
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        rule = {"private_hosts": self._private_hosts}
        plain = type("PublicHTTP", (_PublicConnection, HTTPConnection), rule)
        tls = type("PublicHTTPS", (_PublicConnection, HTTPSConnection), rule)
        self.poolmanager.pool_classes_by_scheme = {
            "http": type("PublicHTTPPool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
            "https": type("PublicHTTPSPool", (HTTPSConnectionPool,), {"ConnectionCls": tls}),
        }


class _PublicConnection:
    private_hosts: Sequence[str]

    def _new_conn(self: Any) -> socket.socket:
        timeout = self.timeout if isinstance(self.timeout, (int, float)) else None
        try:
            return connect(self.host, self.port, timeout, self.private_hosts, self.socket_options or ())
        except (PrivateAddress, NoAddress) as problem:
            raise NewConnectionError(self, str(problem)) from problem
        except OSError as problem:
            raise NewConnectionError(self, f"{type(problem).__name__}: {problem}") from problem
