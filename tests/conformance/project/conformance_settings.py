"""A server for the test suites that come with the specifications of Engine.IO v4 and Socket.IO v5.

To run them, start it on the port they expect::

    cd tests/conformance/project
    python manage.py rungevent --noreload 3000

fetch ``socketio/engine.io-protocol`` and ``socketio/socket.io-protocol`` from GitHub, and in the folder
``test-suite`` of each::

    npm ci
    npm test

The suites expect short heartbeats and a client that is told nothing but its id, so that visits cannot
be resumed here.
"""

SECRET_KEY = "not a secret: this project exists for the tests only"
DEBUG = False
ALLOWED_HOSTS = ["localhost", "127.0.0.1"]
INSTALLED_APPS = ["realtime_wall", "conformance"]
MIDDLEWARE: list[str] = []
ROOT_URLCONF = "conformance.urls"
USE_TZ = True
REALTIME_WALL = {
    "NAMESPACES": ["/", "/custom"],
    "PING_INTERVAL": 0.3,
    "PING_TIMEOUT": 0.2,
    "MESSAGE_SIZE": 1_000_000,
    "RESUME_TIMEOUT": 0,
}
