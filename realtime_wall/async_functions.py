"""What if a function of the project's is ``async def``? Somebody has to run the coroutine that it returns.

Receivers, rules and hooks may be written either way: the greenlet that has called one waits here. It runs
the database queries of the coroutine itself (Django's ``async_to_sync`` brings them back to it), so that they
have its connection and its transaction.
"""

from __future__ import annotations

from collections.abc import Coroutine
from types import CoroutineType
from typing import Any

from asgiref.sync import async_to_sync


def result_of(returned: Any) -> Any:
    """What a function returned; of an asynchronous one, what it returns when it was run."""
    return _run(returned) if type(returned) is CoroutineType else returned


@async_to_sync
async def _run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    return await coroutine
