"""Every setting: its name, its default, its meaning.

The settings are one dict, ``REALTIME_WALL``, and each key is the upper case of a field of
:class:`Config`. Times are seconds, sizes are bytes.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from math import isfinite
from typing import Any

SETTING = "REALTIME_WALL"


def _setting(default: Any, meaning: str, least: float = 0) -> Any:
    metadata = {"meaning": meaning, "least": least}
    if isinstance(default, (dict, list)):
        return field(default_factory=lambda: default.copy(), metadata=metadata)
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    # Who may connect
    allowed_origins: list[str] = _setting(
        [],
        "Origins besides the site's own that may connect: 'https://www.example.com', 'https://*.example.com' "
        "or 'capacitor://localhost'; 'none' for clients that send cookies and no Origin.",
    )
    authorize: str | Callable[..., Any] | None = _setting(
        None, "A function, or its dotted path: authorize(request) lets a connection in by returning True."
    )
    trusted_proxies: list[str] = _setting(
        ["127.0.0.1", "::1", "unix"],
        "Peers whose X-Forwarded-* headers are believed; from others they are dropped. Networks, too.",
    )
    metrics_key: str = _setting("", "Who sends it as a Bearer token may read metrics/; empty for staff only.")
    health_path: str = _setting(
        "", "A path, such as '/healthz', that is answered before Django: for probes without a host name."
    )

    namespaces: list[str] = _setting(
        ["/"], "The namespaces that Socket.IO clients may connect to; each begins with a slash."
    )
    socketio_msgpack: bool = _setting(
        False, "Whether Socket.IO clients may use ``socket.io-msgpack-parser``; with the extra ``msgpack``."
    )
    socketio_admin: dict[str, Any] = _setting(
        {}, "Who may use Socket.IO's admin page besides the staff, and what for; docs/howto/monitor.rst."
    )

    # Limits on what strangers send
    message_size: int = _setting(1024 * 1024, "The largest message, in either direction.", least=1)
    message_fragments: int = _setting(64, "The most frames one WebSocket message may be cut into.", least=1)
    message_attachments: int = _setting(
        10, "The most binary attachments of a Socket.IO packet from a client."
    )
    json_depth: int = _setting(32, "How deep JSON from a client may be nested.", least=1)
    post_packets: int = _setting(
        1000, "The most packets in one POST of a Socket.IO client that polls.", least=16
    )
    polling_sessions: int = _setting(
        5000,
        "How many Socket.IO clients of one address may poll at once (a proxy's visitors apart); 0: any.",
    )
    json_values: int = _setting(
        250_000,
        "How many values of JSON a message may have; arrays and objects count as three, escapes as one.",
        least=1,
    )
    message_timeout: float = _setting(
        60.0, "How long a client may take for one message, from its first bytes to its last.", least=1
    )
    frame_rate: float = _setting(
        200.0, "How many WebSocket frames a second one connection may send for long; 0 for any number."
    )
    frame_burst: int = _setting(2000, "How many frames it may send at once beyond that.", least=1)
    byte_rate: float = _setting(
        4.0 * 1024 * 1024, "How many bytes a second one connection may send for long; 0 for any number."
    )
    byte_burst: int = _setting(32 * 1024 * 1024, "How many bytes it may send at once beyond that.", least=1)
    event_rate: float = _setting(
        100.0,
        "How many events and messages a second one connection may send for long, ten times as many at once.",
    )
    event_rates: dict[str, Any] = _setting(
        {}, "The same for events by name, as in {'typing': 5}; each counts for EVENT_RATE, too."
    )
    subscribe_rate: float = _setting(
        20.0, "How many subscribes and unsubscribes a second, likewise; 0 for any number."
    )
    cpu_rate: float = _setting(
        0.25, "Which part of each second of ours one connection's messages may take, receivers included."
    )
    user_budget: float = _setting(
        10.0, "How many times what one connection may, all of one user may send together; 0: any."
    )
    address_budget: float = _setting(50.0, "The same for all of one address, or one network of IPv6.")
    rate_patience: float = _setting(
        30.0, "How long a connection that sends more is only slowed down, before it is closed with 1008."
    )
    channels_per_connection: int = _setting(64, "How many channels a client may subscribe to.")
    head_size: int = _setting(
        32 * 1024, "The largest request head: request line and headers together.", least=1
    )
    head_timeout: float = _setting(10.0, "How long a client may take to send a request head.", least=0.1)
    keep_alive: float = _setting(
        75.0, "How long an idle HTTP connection is kept open between requests.", least=0.1
    )
    user_connections: int = _setting(
        100, "How many clients of one user may be connected to a server process at once; 0 for any number."
    )
    address_connections: int = _setting(
        5000, "How many connections one address may have to a server process at once; 0 for any number."
    )
    accept_rate: float = _setting(
        1000.0, "How many connections a second a server process accepts; more wait in the kernel. 0: any."
    )
    address_accept_rate: float = _setting(
        500.0, "How many of one address, and ten times as many at once; more are answered 429. 0: any."
    )
    max_connections: int = _setting(
        0, "How many connections at once; 0 leaves 50 of the process's file descriptors free."
    )

    # Connections
    websocket_compression: bool = _setting(
        False, "Whether messages are deflated for WebSocket clients that offer it (permessage-deflate)."
    )
    compression_min_size: int = _setting(1024, "From how many bytes on a message is.", least=1)
    resume_timeout: float = _setting(
        120.0, "How long a Socket.IO client that was cut off may come back as the same; 0 for never."
    )
    ticket_age: float = _setting(
        120.0,
        "For how long a ticket is good, by which a WebSocket client returns without middleware; 0 for none.",
    )
    ping_interval: float = _setting(
        25.0, "How often an idle connection is asked whether it is still there.", least=0.1
    )
    ping_timeout: float = _setting(20.0, "How long it may take to answer.", least=0.1)
    outbox_size: int = _setting(
        1024 * 1024, "What may wait for a slow reader before it is cut off, to return and resume.", least=1
    )
    outbox_timeout: float = _setting(
        30.0, "How long a reader with a waiting outbox may take nothing at all.", least=0.1
    )
    send_buffer: int = _setting(
        64 * 1024, "The kernel's send buffer of a live connection (SO_SNDBUF).", least=1
    )
    io_uring: bool = _setting(
        True,
        "Whether a broadcast takes one system call for 64 clients, where the kernel lets us (Linux).",
    )
    connection_age: float = _setting(
        0.0, "How long an EventSource, a stream or a channel's WebSocket may last before it has to come back."
    )
    long_poll_timeout: float = _setting(
        25.0, "How long a long poll waits for a message before it is answered by 304.", least=0.1
    )
    padding: dict[str, Any] = _setting(
        {}, "Browsers, by a pattern of their User-Agent, and to how many bytes streams to them are padded."
    )
    jsonp: bool = _setting(
        False, "Whether polls may be answered as a script (?callback=); any site could then read them."
    )
    channel_info_on_publish: bool = _setting(
        True, "Whether a POST that publishes is answered by what GET says of the channel; else by nothing."
    )
    close_timeout: float = _setting(5.0, "How long a closing handshake may take.")
    drain_timeout: float = _setting(
        5.0, "How long a stopping server waits for requests and outboxes to finish."
    )

    # Receivers
    receiver_pool: int = _setting(100, "How many sockets may have a receiver running at once.", least=1)
    inbox_size: int = _setting(
        64, "Events of one socket that may wait for its receivers before we stop reading it.", least=1
    )
    slow_receiver: float = _setting(
        1.0, "A receiver that takes longer, or blocks the loop for longer, is named in the log.", least=0.01
    )

    stuck_receiver: float = _setting(
        60.0, "A receiver that runs for longer is named in the log, with where it waits.", least=0.1
    )
    abandoned_receiver: float = _setting(
        30.0, "How long a receiver whose client is gone keeps a place that others wait for; 0 for ever."
    )
    receiver_context: str | Callable[..., Any] | None = _setting(
        None, "What is around each run of receivers: receiver_context(request) is used with 'with'."
    )
    connection_middleware: list[Any] = _setting(
        [], "Around the connect receivers: functions as Django's middleware, or their paths."
    )
    event_middleware: list[Any] = _setting([], "Around the receivers of each event and message, likewise.")
    event_transaction: bool = _setting(
        False, "Whether the receivers of an event share a database transaction, undone when one fails."
    )
    message_log_format: str | None = _setting(
        None, "A %-format for a log line of each message: META's keys, TIME, TYPE and MESSAGE."
    )

    # The command
    host: str = _setting("127.0.0.1", "Where rungevent listens when its command line names no address.")
    port: int = _setting(8000, "On which port, likewise.")
    workers: int = _setting(1, "How many processes serve, unless --workers says it; 0 for one for each core.")
    worker_timeout: float = _setting(
        60.0,
        "How long the event loop of one of several workers may stand still before it is killed.",
        least=1,
    )

    # Socket.IO's own client, for {% socketio_client_script %}
    socketio_client: str = _setting(
        "https://cdn.socket.io/4.8.1/socket.io.min.js",
        "Where browsers get it: an address, or the path of a static file of yours.",
    )
    socketio_client_integrity: str = _setting(
        "sha384-mkQ3/7FUtcGyoppY6bz/PORYoGqOl7/aSUMn2ymDOJcapfS6PHqxhRTMh1RR0Q6+",
        "The hash of the file at that address; nothing else is run. Empty for none.",
    )

    # The log
    history_size: int = _setting(1000, "Messages kept in each channel, for clients that come back.")
    history_bytes: int = _setting(4 * 1024 * 1024, "Bytes of messages kept in each channel.")
    history_age: float = _setting(1800.0, "How long a message is kept.")
    history_channels: int = _setting(
        100_000, "Channels with kept messages; beyond, the one longest silent is forgotten.", least=1
    )

    max_channels: int = _setting(
        0, "How many channels there may be; clients that would begin another are refused. 0: any number."
    )
    log_dir: str = _setting(
        "",
        "A directory that keeps the log on disk, so that a restart loses nothing; empty for memory alone.",
    )

    # Channels that are not as all others
    channels: dict[str, Any] = _setting(
        {}, "Rules for channels, by pattern: the first that fits a channel's name holds for it."
    )

    events_channel: str = _setting(
        "", "A channel that tells which channels begin and end, and who comes and goes; empty for none."
    )
    presence_grace: float = _setting(
        3.0,
        "How long somebody may be away from a channel with PRESENCE, as between two pages, and not leave it.",
    )
    publish_from_loopback: bool | None = _setting(
        None, "Whether programs on this machine may publish by HTTP without a token; None while DEBUG is on."
    )

    # Other processes of this machine
    runtime_dir: str | None = _setting(
        None,
        "Where servers put their Unix socket; by default a directory under /tmp only this user can open.",
    )
    bus_group: str | None = _setting(None, "A Unix group whose members may publish too; needs RUNTIME_DIR.")

    # Other machines
    broker: str = _setting(
        "",
        "The Redis that joins servers of several machines: 'redis://host:6379/0'; empty for this machine.",
    )
    broker_prefix: str = _setting(
        "realtime_wall", "What our keys there begin with; each project on one Redis has its own."
    )
    broker_bus_size: int = _setting(
        100_000, "How many entries Redis keeps for servers that are behind; about.", least=100
    )
    publish_timeout: float = _setting(
        2.0, "How long publishing waits for Redis before it raises PublishFailed.", least=0.1
    )

    wall: dict[str, Any] = _setting({}, "The settings of the tweet wall: see the wall's page.")


def problems(settings: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What is wrong with a settings dict, as (key, sentence)."""
    known = {item.name.upper(): item.name for item in fields(Config)}
    hints = typing.get_type_hints(Config)
    least = {item.name: item.metadata["least"] for item in fields(Config)}
    found: list[tuple[str, str]] = []
    for key, value in settings.items():
        if key not in known:
            found.append((key, "is not a setting" + _did_you_mean(key, known)))
        elif not _fits(value, hints[known[key]]):
            found.append((key, f"cannot be {value!r}"))
        elif isinstance(value, (int, float)) and value < least[known[key]]:
            found.append((key, f"cannot be less than {least[known[key]]}"))
    return found


def from_mapping(settings: Mapping[str, Any]) -> Config:
    """The configuration of a settings dict, unknown and unusable keys left at their defaults.

    The system checks have named those to the user before anything runs.
    """
    bad = {key for key, _ in problems(settings)}
    return Config(**{key.lower(): value for key, value in settings.items() if key not in bad})


@cache
def current() -> Config:
    """The project's configuration; read once, and again after ``override_settings``."""
    from django.conf import settings
    from django.core.signals import setting_changed

    setting_changed.connect(_forget, dispatch_uid="realtime_wall.config")
    return from_mapping(getattr(settings, SETTING, {}))


def _forget(*, setting: str, **_: Any) -> None:
    if setting == SETTING:
        current.cache_clear()


def _fits(value: object, hint: Any) -> bool:
    options = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    return any(_is_a(value, option) for option in options)


def _is_a(value: object, hint: Any) -> bool:
    kind = typing.get_origin(hint) or hint
    if kind is Callable:
        return callable(value)
    if kind is list:
        items = value if isinstance(value, (list, tuple)) else [None]
        kinds = typing.get_args(hint)
        return all(kinds == (Any,) or isinstance(item, kinds) for item in items)
    if isinstance(value, bool):
        return kind is bool
    if kind is float:
        return isinstance(value, (float, int)) and isfinite(value)
    return isinstance(value, kind)


def _did_you_mean(key: str, known: Mapping[str, str]) -> str:
    import difflib

    close = difflib.get_close_matches(key.upper(), known, n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""
