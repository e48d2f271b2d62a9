"""JSON that somebody else wrote: what does it say?

``json.loads`` goes down into it until Python's stack ends. Should the collector run there, then nothing that
it calls can: what a weak reference was to tidy up (a pool of connections, a temporary file) would stay for
good, with a line about it on standard error. So it rests meanwhile; JSON has no cycles that it could find.
"""

from __future__ import annotations

import gc
import json
from typing import Any


def load_json(data: bytes | str) -> Any:
    """The value, or a ValueError: also of half a character, of 5,000 digits, and of nesting without end."""
    is_on = gc.isenabled()
    gc.disable()
    try:
        return json.loads(data)
    except RecursionError as problem:
        raise ValueError("it is nested too deeply") from problem
    finally:
        if is_on:
            gc.enable()
