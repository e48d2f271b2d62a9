"""The websockets library on asyncio, with its broadcast(), doing what the bench asks of ours."""

import asyncio
import json
import sys
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import broadcast, serve


async def listen(connection):
    async for _ in connection:
        pass


def pages(connection, request):
    address = urlsplit(request.path)
    if address.path != "/publish/":
        return None
    query = parse_qs(address.query)
    message = json.dumps("x" * int(query["size"][0]))
    for _ in range(int(query["count"][0])):
        broadcast(connection.server.connections, message)
    return connection.respond(HTTPStatus.OK, "done")


async def main(port):
    # The bench's clients answer no pings and offer no compression.
    async with serve(listen, "127.0.0.1", port, process_request=pages, ping_interval=None) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
