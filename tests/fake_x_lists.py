"""A small X for lists: looks at each request's signature, and does what a script says.

::

    with FakeXLists({"7": "people"}) as x:
        call_command(Command(base_url=x.url), "--list", "people")
"""

import re
from urllib.parse import unquote, urlsplit

from gevent.server import StreamServer
from oauthlib.oauth1 import Client

from tests.fake_x import answer, read_request

OWNER = "42"
SECRETS = {
    "CONSUMER_KEY": "key",
    "CONSUMER_SECRET": "key's secret",
    "ACCESS_TOKEN": f"{OWNER}-token",
    "ACCESS_SECRET": "token's secret",
}


class FakeXLists:
    def __init__(self, lists=None):
        self.lists = dict(lists or {})  # number -> name
        self.members = []  # (list, user) in the order in which they were added
        self.requests = []  # (method, path)
        self.script = []  # acts for requests, before the ordinary answers; None for an ordinary one
        self.refused = {}  # user -> (status, detail)
        self._server = StreamServer(("127.0.0.1", 0), self._serve)

    def __enter__(self):
        self._server.start()
        return self

    def __exit__(self, *_):
        self._server.stop(timeout=0)

    @property
    def url(self):
        return f"http://127.0.0.1:{self._server.server_port}"

    def _serve(self, connection, _):
        reader = connection.makefile("rb")
        while request := read_request(reader):
            method, target, headers, body = request
            path = urlsplit(target).path
            self.requests.append((method, path))
            act = self.script.pop(0) if self.script else None
            if act:
                act(connection)
            elif not self._is_signed(method, target, headers):
                answer(connection, 401, {"title": "Unauthorized", "detail": "Unauthorized"})
            else:
                answer(connection, *self._answer(method, path, body))

    def _is_signed(self, method, target, headers):
        given = headers.get("authorization", "")
        fields = dict(re.findall(r'(\w+)="([^"]*)"', given))
        ours = Client(
            *SECRETS.values(),
            nonce=unquote(fields.get("oauth_nonce", "")),
            timestamp=fields.get("oauth_timestamp", ""),
        )
        _, signed, _ = ours.sign(self.url + target, method)
        return signed["Authorization"] == given

    def _answer(self, method, path, body):
        if (method, path) == ("GET", f"/2/users/{OWNER}/owned_lists"):
            found = [{"id": number, "name": name} for number, name in self.lists.items()]
            return 200, {"data": found, "meta": {"result_count": len(found)}}
        if (method, path) == ("POST", "/2/lists"):
            number = str(1000 + len(self.lists))
            self.lists[number] = body["name"]
            return 201, {"data": {"id": number, "name": body["name"]}}
        added = re.fullmatch(r"/2/lists/(\d+)/members", path)
        if not added or added[1] not in self.lists:
            return 404, {"title": "Not Found", "detail": "no such list"}
        user = body["user_id"]
        if user in self.refused:
            status, detail = self.refused[user]
            return status, {"title": "Forbidden", "detail": detail}
        self.members.append((added[1], user))
        return 200, {"data": {"is_member": True}}
