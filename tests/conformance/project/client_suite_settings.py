"""A server for the test suite of the official client, ``socket.io-client``.

To run it, start it on the port that the suite expects::

    cd tests/conformance/project
    DJANGO_SETTINGS_MODULE=client_suite_settings python manage.py rungevent --noreload 3210

fetch ``packages/socket.io-client/test`` of ``socketio/socket.io`` from GitHub, put it into the package as npm
has it, ``node_modules/socket.io-client/test``, and run mocha there without the server of its own::

    npm install socket.io-client mocha tsx expect.js has-cors text-blob-builder base64-arraybuffer \\
        @sinonjs/fake-timers
    cd node_modules/socket.io-client && npx mocha --import=tsx --exit test/index.ts

With recovery on, two of its cases fail. One wants an event with a receiver to stay unanswered, which is no
word of ours ("should fail when the server does not acknowledge the packet"). One counts the packets of its
first 100 ms, in which Node's server has not yet sent the NOOP of the upgrade ("should not emit a packet twice
in the 'connect' handler"). Those with ``timeout(50)`` fail on a machine that is busy, too.
"""

from conformance_settings import *  # noqa: F403

INSTALLED_APPS = ["realtime_wall", "client_suite"]
REALTIME_WALL = {
    "NAMESPACES": ["/", "/foo", "/timeout_socket", "/valid", "/asd", "/abc", "/no"],
    "PING_INTERVAL": 2.0,
    "AUTHORIZE": "client_suite.events.slowly",
}
