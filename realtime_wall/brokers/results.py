"""What a command results in, and how a result travels between processes.

A process that asks itself gets the object. Between processes a result is a JSON object with one key that says
what it is: ``receipt``, ``answers``, ``result`` for anything else, or ``error`` with a ``message``.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from realtime_wall.errors import InvalidMessage, NoServer, NoSocket, PublishFailed, RealtimeWallError


@dataclass(frozen=True, slots=True)
class Receipt:
    """Whom a message reached; true when that was anybody.

    ``sockets`` took it, ``queued`` of them into their outbox because they read slowly, ``dropped`` were
    cut off because it was full. ``position`` is None for what is not logged.
    """

    processes: int = 0
    sockets: int = 0
    queued: int = 0
    dropped: int = 0
    position: str | None = None

    def __bool__(self) -> bool:
        return self.sockets > 0

    def __add__(self, other: Receipt) -> Receipt:
        return Receipt(
            self.processes + other.processes,
            self.sockets + other.sockets,
            self.queued + other.queued,
            self.dropped + other.dropped,
            self.position or other.position,
        )

    def __str__(self) -> str:
        return (
            f"reached {self.sockets} socket{'' if self.sockets == 1 else 's'} in {self.processes} "
            f"process{'' if self.processes == 1 else 'es'}, {self.queued} queued, {self.dropped} dropped, "
            f"position {self.position}"
        )


@dataclass(frozen=True, slots=True)
class Spooled:
    """Instead of a position: the message waits in this server until Redis takes it, before anything newer.

    It is lost when the server ends before that; the log then says how many were.
    """


@dataclass(frozen=True, slots=True)
class Answers:
    """What clients answered to a question that was put to all of them, by their session ids.

    No argument is None, several are a list. ``silent`` are those who did not answer in time, or are gone.
    """

    answers: dict[str, Any]
    silent: tuple[str, ...] = ()

    def __add__(self, other: Answers) -> Answers:
        return Answers({**self.answers, **other.answers}, (*self.silent, *other.silent))


# As JSON


def result_to_json(result: Any) -> dict[str, Any]:
    if isinstance(result, Exception):
        return error_to_json(result)
    if isinstance(result, Receipt):
        return {"receipt": asdict(result)}
    if isinstance(result, Answers):
        return {"answers": {"answers": result.answers, "silent": list(result.silent)}}
    return {"result": result}


def result_from_json(value: Any) -> Any:
    """The result, or the exception that there is instead. A TypeError or KeyError for what is neither."""
    if "receipt" in value:
        return Receipt(**value["receipt"])
    if "answers" in value:
        return Answers(value["answers"]["answers"], tuple(value["answers"]["silent"]))
    if "result" in value:
        return value["result"]
    return _error_from_json(value)


def error_to_json(problem: Exception) -> dict[str, Any]:
    if isinstance(problem, NoSocket) and not isinstance(problem, NoServer):
        return {"error": "NoSocket", "message": str(problem)}
    if isinstance(problem, RealtimeWallError):
        return {"error": type(problem).__name__, "message": str(problem)}
    return {"error": type(problem).__name__, "message": "the server failed; see its log"}


def _error_from_json(value: Any) -> Exception:
    error, message = value["error"], value.get("message")
    if error == "NoSocket":
        return NoSocket(message)
    if error in ("InvalidMessage", "MessageTooBig"):
        return InvalidMessage(message)
    return PublishFailed(f"{error}: {message}")


def failure(problem: Exception) -> Exception:
    """What went wrong here, as another server would get to know it."""
    return (
        problem
        if isinstance(problem, (NoSocket, InvalidMessage))
        else _error_from_json(error_to_json(problem))
    )
