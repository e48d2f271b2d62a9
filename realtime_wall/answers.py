"""What an event's receiver may return when its page wants to know whether it worked."""

from __future__ import annotations

from typing import Any


def success(message: str | None = None, **data: Any) -> dict[str, Any]:
    """``{"success": True, ...}``, with a message for people if there is one."""
    return _answer(True, message, data)


def failure(message: str | None = None, **data: Any) -> dict[str, Any]:
    """``{"success": False, ...}``, with a message for people if there is one."""
    return _answer(False, message, data)


def _answer(worked: bool, message: str | None, data: dict[str, Any]) -> dict[str, Any]:
    text = {} if message is None else {"message": message}
    return {"success": worked, **text, **data}
