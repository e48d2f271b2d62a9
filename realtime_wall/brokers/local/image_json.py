"""How is what a log remembers written for a process that is to have the same log?

One JSON object for each channel, and one for what is no channel's. The epoch is sent once for all.
"""

from __future__ import annotations

from typing import Any

from realtime_wall.brokers.entry import message_from_json, message_to_json
from realtime_wall.channels.history import ChannelImage
from realtime_wall.channels.log import Image
from realtime_wall.channels.position import Position


def image_to_json(image: ChannelImage | Image) -> dict[str, Any]:
    if isinstance(image, Image):
        return {"top": image.top.offset, "lost": image.lost, "number": image.number, "began": image.began}
    return {
        "channel": image.channel,
        "lost": image.lost,
        "last": image.last,
        "number": image.number,
        "published": image.published,
        "messages": list(map(message_to_json, image.messages)),
    }


def image_from_json(body: dict[str, Any], epoch: str) -> ChannelImage | Image:
    """KeyError or TypeError for what is none."""
    if "top" in body:
        return Image(Position(epoch, body["top"]), body["lost"], body["number"], body.get("began"))
    messages = [message_from_json(message, epoch) for message in body["messages"]]
    return ChannelImage(
        body["channel"], body["lost"], body["last"], body["number"], body["published"], messages
    )
