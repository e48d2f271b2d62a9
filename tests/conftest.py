from gevent import monkey

monkey.patch_all()

import os
from functools import cache
from pathlib import Path

import pytest
from hypothesis import settings

from tests import bytecode
from tests.programs import NEEDED, what_is_missing
from tests.workers import let_workers_wait, sendable, turn

# Also where the package was installed before it had an entry point for it.
pytest_plugins = ["realtime_wall.testing.pytest_plugin"]

HERE = Path(__file__).parent

# Figures that take minutes: ``make prove`` finds them, and nothing else does.
collect_ignore_glob = [] if os.environ.get("REALTIME_WALL_PROVE") else ["*/test_prove_*.py"]

bytecode.keep()
let_workers_wait()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
settings.register_profile("suite", deadline=None, max_examples=60)
settings.register_profile("fuzz", deadline=None, max_examples=200_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))

PROVE = bool(os.environ.get("REALTIME_WALL_PROVE"))
# In these most wait for other processes. They go first: at the end one of them would run alone for long.
SLOW = {"brokers", "conformance", "control", "integration", "management", "oracle", "presence", "server"}


def pytest_collection_modifyitems(config, items):
    if not PROVE and (left := [item for item in items if item.get_closest_marker("prove")]):
        items[:] = [item for item in items if item not in left]
        config.hook.pytest_deselected(items=left)
    items.sort(key=lambda item: folder(item.path) not in SLOW)
    missing = {marker: package for marker in NEEDED if (package := what_is_missing(marker))}
    for item in items:
        for marker, package in missing.items():
            if item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=f"install {package} to run this"))


@cache
def folder(path):
    return path.relative_to(HERE).parts[0]


@pytest.hookimpl(wrapper=True, tryfirst=True)  # around pytest-timeout: to wait for one's turn is no delay
def pytest_runtest_protocol(item):
    if not hasattr(item.config, "workerinput"):
        return (yield)
    with turn(alone=item.get_closest_marker("alone") is not None):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable():
    return sendable((yield))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item):
    """What a server has begun, and not ended, would do its work in the middle of other tests."""
    result = yield
    left = [task.name for kind in LeaderTask.__subclasses__() for task in kind.running.values()]
    assert not left
    return result


def pytest_runtest_makereport(item, call):
    """A machine that is meant to have everything (CI) may not skip."""
    if (
        call.excinfo
        and call.excinfo.errisinstance(pytest.skip.Exception)
        and os.environ.get("REALTIME_WALL_NO_SKIPS")
    ):
        failure = AssertionError(f"skipped: {call.excinfo.value}").with_traceback(call.excinfo.tb)
        call.excinfo = pytest.ExceptionInfo.from_exception(failure)


import django  # noqa: E402

django.setup()

from realtime_wall.node.leader_task import LeaderTask  # noqa: E402
from realtime_wall.wire.connection import Wire  # noqa: E402
from realtime_wall.wire.turns import Turns  # noqa: E402

# In this process who is slow has its turn all the same: a test that is about turns says how long they are.
Wire.turns = Turns(3600.0)
