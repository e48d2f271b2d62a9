import grp
import os
import stat
import sys
import types

import pytest
from django.test import override_settings

from realtime_wall.brokers.local import runtime_dir
from realtime_wall.config import Config, current
from realtime_wall.errors import UnsafeRuntimeDir


def mode(path):
    return stat.S_IMODE(os.lstat(path).st_mode)


def some_group():
    """A group to give files to: another one than ours where we may, as root."""
    ours = grp.getgrgid(os.getgid())
    others = [group for group in grp.getgrall() if group.gr_gid != ours.gr_gid]
    return others[0] if os.getuid() == 0 else ours


@pytest.fixture
def parent(tmp_path, monkeypatch):
    """Where directories are made without a setting: not the /tmp of this machine."""
    monkeypatch.setattr(runtime_dir, "DEFAULT_PARENT", tmp_path)
    monkeypatch.setattr(runtime_dir, "_home", lambda: tmp_path / "no home")
    return tmp_path


@pytest.fixture
def home(parent, monkeypatch, tmp_path_factory):
    """That of this user."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setattr(runtime_dir, "_home", lambda: home)
    return home


def a_project(monkeypatch, path):
    """Settings in a file of their own."""
    module = types.ModuleType("some_settings")
    module.__file__ = str(path)
    monkeypatch.setitem(sys.modules, "some_settings", module)
    monkeypatch.setattr(runtime_dir, "settings", types.SimpleNamespace(SETTINGS_MODULE="some_settings"))
    return runtime_dir.project_dir(Config())


def test_by_default_only_this_user_may_enter(parent):
    previous = os.umask(0)
    try:
        path = runtime_dir.create(Config())
    finally:
        os.umask(previous)

    assert path.parent == parent / f"realtime_wall-{os.getuid()}"
    assert mode(path) == mode(path.parent) == 0o700


def test_the_home_is_not_used_where_nobody_is_in_the_way(parent, home):
    assert runtime_dir.create(Config()).parent.parent == parent
    assert list(home.iterdir()) == []


def test_making_it_again_changes_nothing(parent):
    assert runtime_dir.create(Config()) == runtime_dir.create(Config())


def test_the_login_session_s_directory_is_never_used(parent, monkeypatch, tmp_path_factory):
    session = tmp_path_factory.mktemp("session")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(session))
    monkeypatch.setenv("TMPDIR", str(session))

    assert session not in runtime_dir.create(Config()).parents


def test_two_projects_have_two_directories(monkeypatch, tmp_path):
    first = a_project(monkeypatch, tmp_path / "first" / "settings.py")
    second = a_project(monkeypatch, tmp_path / "second" / "settings.py")

    assert first != second
    assert first.parent == second.parent


def test_one_project_by_two_ways_has_one_directory(monkeypatch, tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "settings.py").touch()
    (tmp_path / "link").symlink_to(tmp_path / "real")

    directly = a_project(monkeypatch, tmp_path / "real" / "settings.py")
    by_a_link = a_project(monkeypatch, tmp_path / "link" / "settings.py")

    assert directly == by_a_link


def test_settings_without_a_file_are_told_apart_by_the_program(monkeypatch, tmp_path):
    monkeypatch.setattr(runtime_dir, "settings", types.SimpleNamespace())
    monkeypatch.setattr(sys, "argv", [str(tmp_path / "one.py")])
    one = runtime_dir.project_dir(Config())
    monkeypatch.setattr(sys, "argv", [str(tmp_path / "two.py")])

    assert runtime_dir.project_dir(Config()) != one


@pytest.mark.parametrize("which", ["parent", "project"])
@pytest.mark.parametrize("bits", [0o777, 0o770, 0o755, 0o701])
def test_a_directory_that_is_open_to_others_is_refused(parent, which, bits):
    project = runtime_dir.create(Config())
    path = project if which == "project" else project.parent
    path.chmod(bits)

    for action in (runtime_dir.create, runtime_dir.sockets):
        with pytest.raises(
            UnsafeRuntimeDir, match=rf"{path} is open to others \(mode {bits:o}\); remove it or"
        ):
            action(Config())


@pytest.mark.parametrize("which", ["parent", "project"])
def test_a_link_is_refused(parent, which, tmp_path_factory):
    project = runtime_dir.project_dir(Config())
    path = project if which == "project" else project.parent
    project.parent.mkdir(0o700) if which == "project" else None
    path.symlink_to(tmp_path_factory.mktemp("elsewhere"))

    with pytest.raises(UnsafeRuntimeDir, match="is not a directory"):
        runtime_dir.create(Config())


def test_a_file_in_its_place_is_refused(parent):
    runtime_dir.project_dir(Config()).parent.touch()

    with pytest.raises(UnsafeRuntimeDir, match="cannot be made: Not a directory"):
        runtime_dir.create(Config())


if os.getuid() == 0:  # only root can make a directory that belongs to somebody else

    @pytest.mark.threat("S59")
    @pytest.mark.parametrize("which", ["parent", "project"])
    def test_a_directory_of_another_user_is_refused(parent, which):
        project = runtime_dir.create(Config())
        path = project if which == "project" else project.parent
        os.chown(path, 65534, -1)

        with pytest.raises(UnsafeRuntimeDir, match=r"belongs to another user \(uid 65534\)"):
            runtime_dir.create(Config())

    def squat(parent):
        """Another user was there first."""
        usual = runtime_dir.project_dir(Config()).parent
        assert usual.parent == parent
        usual.mkdir()
        os.chown(usual, 65534, -1)
        return usual

    @pytest.mark.threat("S59")
    def test_who_takes_the_name_first_stops_no_site(parent, home):
        squat(parent)

        path = runtime_dir.create(Config())

        assert path.parent == home / ".realtime_wall"
        assert mode(path) == mode(path.parent) == 0o700
        lock = runtime_dir.lock_hub(Config())
        assert lock is not None
        lock.close()

    def test_nor_whoever_plants_a_link_there(parent, home):
        usual = runtime_dir.project_dir(Config()).parent
        usual.symlink_to("/etc")
        os.chown(usual, 65534, -1, follow_symlinks=False)

        assert runtime_dir.create(Config()).parent == home / ".realtime_wall"

    def test_a_shell_finds_the_servers_when_the_other_user_has_given_the_name_back(parent, home):
        usual = squat(parent)
        (runtime_dir.create(Config()) / "7.sock").touch()
        usual.rmdir()

        assert [path.name for path in runtime_dir.sockets(Config())] == ["7.sock"]

    @pytest.mark.parametrize("spoil", [lambda home: home.chmod(0o777), lambda home: home.rmdir()])
    def test_a_home_that_is_not_safe_is_not_used(parent, home, spoil):
        squat(parent)
        spoil(home)

        with pytest.raises(UnsafeRuntimeDir, match="belongs to another user"):
            runtime_dir.create(Config())

    def test_a_configured_directory_of_another_user_is_refused(tmp_path):
        config = Config(runtime_dir=str(tmp_path))
        os.chown(runtime_dir.create(config), 65534, -1)

        with pytest.raises(UnsafeRuntimeDir, match=r"belongs to another user \(uid 65534\)"):
            runtime_dir.create(config)


def test_a_configured_directory_is_used(tmp_path):
    path = runtime_dir.create(Config(runtime_dir=str(tmp_path)))

    assert path.parent == tmp_path
    assert mode(path) == 0o700


def test_a_configured_directory_that_others_may_write_to_is_refused(tmp_path):
    config = Config(runtime_dir=str(tmp_path))
    runtime_dir.create(config).chmod(0o720)

    with pytest.raises(UnsafeRuntimeDir, match=r"is open to others \(mode 720\)"):
        runtime_dir.create(config)


def test_a_configured_directory_has_to_exist(tmp_path):
    with pytest.raises(UnsafeRuntimeDir, match="cannot be made: No such file or directory"):
        runtime_dir.create(Config(runtime_dir=str(tmp_path / "missing")))


def test_a_group_may_be_let_in(tmp_path):
    group = some_group()
    config = Config(runtime_dir=str(tmp_path), bus_group=group.gr_name)
    previous = os.umask(0o077)  # as careful as a service manager may be
    try:
        path = runtime_dir.create(config)
    finally:
        os.umask(previous)

    assert mode(path) == 0o750
    assert path.stat().st_gid == group.gr_gid
    assert runtime_dir.sockets(config) == []


def test_with_a_group_the_rest_of_the_world_stays_outside(tmp_path):
    config = Config(runtime_dir=str(tmp_path), bus_group=grp.getgrgid(os.getgid()).gr_name)
    runtime_dir.create(config).chmod(0o777)

    with pytest.raises(UnsafeRuntimeDir, match="is open to others"):
        runtime_dir.sockets(config)


def test_a_group_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(UnsafeRuntimeDir, match="BUS_GROUP is 'nobody-knows', and there is no such group"):
        runtime_dir.create(Config(runtime_dir=str(tmp_path), bus_group="nobody-knows"))


def test_a_path_that_is_too_long_for_a_socket_is_named(tmp_path):
    deep = tmp_path / ("a" * 60) / ("b" * 60)
    deep.mkdir(parents=True)

    with pytest.raises(UnsafeRuntimeDir, match="is longer than a Unix socket's path may be"):
        runtime_dir.create(Config(runtime_dir=str(deep)))


def test_sockets_are_found_and_nothing_else(parent):
    path = runtime_dir.create(Config())
    for name in ("2.sock", "1.sock", "notes.txt"):
        (path / name).touch()

    assert runtime_dir.sockets(Config()) == [path / "1.sock", path / "2.sock"]


def test_where_nothing_was_made_there_are_no_sockets(parent):
    assert runtime_dir.sockets(Config()) == []


@override_settings(REALTIME_WALL={"RUNTIME_DIR": "/nowhere"})
def test_the_setting_reaches_it():
    assert str(runtime_dir.project_dir(current())).startswith("/nowhere/")
