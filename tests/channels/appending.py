"""A log that is given its messages one after the other, as a sequencer gives it them."""

from realtime_wall.channels.log import Log


def append(log: Log, channel, data_json, *, now, **fields):
    """Give a message its position, and keep it."""
    message = log.next_message(channel, data_json, now=now, **fields)
    log.add(message, now)
    return message
