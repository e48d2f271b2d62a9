"""A test that fails twice is a failure; one that fails beside others only is named."""

import pytest

from tests import rerun

FLAKY = """
from pathlib import Path

def test_unlucky():
    been = Path("been")
    if not been.exists():
        been.touch()
        raise AssertionError("once")

def test_sound():
    pass
"""
BROKEN = "def test_broken():\n    raise AssertionError('always')\n"
MANY = "".join(f"def test_{n}():\n    raise AssertionError('always')\n" for n in range(6))


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Of a project that has no plug-ins but the one that is needed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p xdist")
    return tmp_path


@pytest.mark.parametrize(
    ("module", "code", "said"),
    [
        (FLAKY, 0, ["1 failed, 1 passed", "1 passed", "flaky", "test_it.py::test_unlucky"]),
        (BROKEN, 1, ["1 failed", "once more, alone", "1 failed"]),
        (MANY, 1, ["6 failed"]),
        ("def", 2, ["1 error"]),
    ],
    ids=["flaky", "broken", "many", "no Python"],
)
def test_what_failed_runs_once_more_alone(module, code, said, folder, capfd):
    (folder / "test_it.py").write_text(module)

    assert rerun.main([]) == code

    told = capfd.readouterr().out
    for words in said:
        assert words in told
        told = told[told.index(words) + len(words) :]
    assert "once more" not in told


def test_it_speaks_of_this_run_only(folder, capfd):
    (folder / rerun.FAILED).parent.mkdir(parents=True)
    (folder / rerun.FAILED).write_text('{"test_gone.py::test_gone": true}')
    (folder / "test_it.py").write_text("def test_sound(): pass\n")

    assert rerun.main([]) == 0

    assert "flaky" not in capfd.readouterr().out
