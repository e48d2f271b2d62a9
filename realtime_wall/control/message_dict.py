"""A message, as a shell prints it, and what follows it reads."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from realtime_wall.channels.message import Message


def message_dict(message: Message) -> dict[str, Any]:
    return {
        "channel": message.channel,
        "id": message.number,
        "data": json.loads(message.data_json),
        "event": message.event,
        "event_id": message.event_id,
        "cursor": str(message.position),
        "time": datetime.fromtimestamp(message.time, UTC).isoformat(timespec="milliseconds"),
    }
