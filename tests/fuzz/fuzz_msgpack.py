"""Any bytes as MessagePack: one value at once and in pieces, which can be sent on, or a BadMessagePack."""

from realtime_wall.protocol.json_output import encode_json
from realtime_wall.protocol.msgpack.msgpack_input import BadMessagePack, load_msgpack


def parse(data: bytes) -> None:
    found = [read(data, turn, window) for turn, window in ((None, 4096), (int, 8))]
    assert found[0] == found[1]
    if not isinstance(found[0], BadMessagePack):
        encode_json(found[0], bytes_as_text=True)


def read(data: bytes, turn: object, window: int) -> object:
    try:
        return [load_msgpack(data, 8, 500, turn, window)]  # type: ignore[arg-type]
    except BadMessagePack as problem:
        assert problem.reason
        return problem.reason
