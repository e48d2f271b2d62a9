"""Any messages: packets or a BadPacket."""

from realtime_wall.protocol.socketio import BadPacket, Decoder

PLACE = '{"_placeholder":true,"num":'
WORDS = [*'0123456[]{}",:/-?.e\\ \x00\x1eé', PLACE + "0}", PLACE + "1}", '["a"', '2["a"', '51-["a",', "62-["]
WORDS += ['"connect"', "\\ud800"]


def parse(data: bytes) -> None:
    decoder = Decoder(max_bytes=1000, max_depth=8)
    try:
        for message in data.split(b"\xff"):
            if message.startswith(b"\xfe"):
                packet = decoder.receive_binary(message)
            else:
                packet = decoder.receive_text("".join([WORDS[byte % len(WORDS)] for byte in message]))
            assert (packet is None) is decoder.is_waiting
    except BadPacket as problem:
        assert problem.reason
