import json
import math

import pytest

from realtime_wall.channels.message import Binary
from realtime_wall.errors import InvalidMessage
from realtime_wall.sockets.arguments import Arguments, encode_args

PLACE = {"_placeholder": True, "num": 0}


@pytest.mark.parametrize(
    ("args", "data", "parts"),
    [
        ((), None, []),
        ((1,), 1, ["1"]),
        ((None,), None, ["null"]),
        (([1, 2],), [1, 2], ["[1,2]"]),
        ((1, "ü"), [1, "ü"], ['1,"ü"']),
        (([], {}), [[], {}], ["[],{}"]),
    ],
)
def test_arguments_are_one_value_for_one_protocol_and_a_list_for_the_other(args, data, parts):
    arguments = encode_args(args)

    assert json.loads(arguments.data_json) == data
    assert arguments.parts == parts
    assert json.loads(f"[{','.join(arguments.parts)}]") == list(args)
    assert arguments.binary is None


def test_bytes_are_taken_out_for_one_protocol_and_are_base64_in_the_json_of_the_other():
    place = json.dumps(PLACE, separators=(",", ":"))
    assert encode_args((b"one",)) == Arguments('"b25l"', 1, Binary(place, (b"one",)))
    assert encode_args((b"one",)).parts == [place]

    several = encode_args(({"file": bytearray(b"one")}, [memoryview(b"two")]))
    assert json.loads(several.data_json) == [{"file": "b25l"}, ["dHdv"]]
    assert json.loads(several.binary.json) == [{"file": PLACE}, [{**PLACE, "num": 1}]]
    assert (several.arity, several.binary.attachments) == (2, (b"one", b"two"))
    assert json.loads(f"[{','.join(several.parts)}]") == json.loads(several.binary.json)


@pytest.mark.parametrize("value", [math.nan, "\ud800", object(), {1, 2}, [b"x", math.nan], [b"x", PLACE]])
def test_what_no_client_could_read_is_refused(value):
    with pytest.raises(InvalidMessage):
        encode_args((value,))
