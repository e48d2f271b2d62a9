import pytest

from tests.browser import ExampleServer, Shell, Visitors, WallOfItsOwn, running_browser


# Not for the whole session: while it runs, Django takes the tests' thread for an async one.
@pytest.fixture(scope="module")
def browser():
    with running_browser() as browser:
        yield browser


@pytest.fixture
def visitors(browser):
    visitors = Visitors(browser)
    yield visitors
    visitors.leave()
    assert visitors.complaints == []


@pytest.fixture(scope="session")
def migrated_wall(tmp_path_factory):
    """The example wall's database, empty, to be copied."""
    server = ExampleServer("example_wall")
    path = tmp_path_factory.mktemp("database") / "wall.sqlite3"
    server.environment["SITE_DATABASE"] = str(path)
    done = server.manage("migrate", "--verbosity", "0")
    server.directory.cleanup()
    assert done.returncode == 0, done.stderr
    return path


@pytest.fixture(scope="module")
def office(migrated_wall):
    """A server that no post comes to by itself, and a shell to send them from."""
    settings = {"SOURCES": [], "VISITORS": True}
    with ExampleServer("example_wall", migrated_wall, wall=settings) as server, Shell(server) as shell:
        yield server, shell


@pytest.fixture
def hall(office):
    """A wall that no other test has seen."""
    return WallOfItsOwn(*office)


@pytest.fixture
def wall_server(migrated_wall):
    """Starts the example wall: ``wall_server(SOURCES=[...])``; without anything, as it is."""
    running = []

    def start(**wall):
        running.append(ExampleServer("example_wall", migrated_wall, wall or None))
        return running[-1].start()

    yield start
    for server in running:
        server.__exit__()


@pytest.fixture
def shell():
    """``shell(server)`` opens one."""
    opened = []

    def open_shell(server):
        opened.append(Shell(server))
        return opened[-1]

    yield open_shell
    for one in opened:
        one.close()
