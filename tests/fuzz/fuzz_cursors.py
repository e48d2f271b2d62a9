"""Any way to say where one was: a cursor, Last-Event-ID, If-Modified-Since, a tag, a place in the archive."""

from types import SimpleNamespace

from django.http import QueryDict

from realtime_wall.channels.position import Position
from realtime_wall.channels.resume import Since
from realtime_wall.errors import InvalidPosition
from realtime_wall.views.channels.channel_request import RequestRefused, since_of, tokens_of
from realtime_wall.wall.queries.archive import Place, Search
from realtime_wall.wall.world_map.box import BadSearch

HEADERS = ["HTTP_LAST_EVENT_ID", "HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_AUTHORIZATION"]


def parse(data: bytes) -> None:
    query, *headers = data.decode("latin-1").split("\n")[: len(HEADERS) + 1]
    meta = {"QUERY_STRING": query, **dict(zip(HEADERS, headers, strict=False))}
    request = SimpleNamespace(GET=QueryDict(query), META=meta)
    try:
        since = since_of(request)
        assert isinstance(since, Since)
        assert since.time is None or -(2**62) < since.time < 2**62
    except RequestRefused as problem:
        assert problem.status == 400 and problem.response()  # whose headers have one line each
    assert len(tokens_of(request)) <= 17
    for text in (query, *headers):
        try:
            position = Position.parse(text)
            assert Position.parse(str(position)) == position
        except InvalidPosition as problem:
            assert len(str(problem)) < 500
        try:
            place = Place.parse(text)
            assert Place.parse(str(place)) == place
        except BadSearch as problem:
            assert str(problem)
    try:
        search = Search.parse(request.GET)
        assert 0 < search.limit <= 100 and len(search.words) <= 8
    except BadSearch as problem:
        assert str(problem)
