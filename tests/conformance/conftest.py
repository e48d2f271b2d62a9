import pytest

from tests.conformance.clients import HERE, Node, conformance_server
from tests.workers import npm_install


@pytest.fixture(scope="session")
def npm():
    done = npm_install(HERE)
    if done.returncode:
        pytest.skip(f"npm could not install the official client: {done.stderr[-500:]}")


@pytest.fixture(scope="module")
def node(npm):
    node = Node()
    yield node
    node.close()


@pytest.fixture(scope="module")
def server():
    with conformance_server(NAMESPACES=["/", "/admin"], CHANNELS_PER_CONNECTION=5) as server:
        yield server


@pytest.fixture
def control(server):
    """A plain client, to make things happen at the server."""
    with server.client() as client:
        yield client


@pytest.fixture(params=[["websocket"], ["polling"], ["polling", "websocket"]], ids="+".join)
def transports(request):
    return request.param
