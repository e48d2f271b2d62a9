"""Where the servers of a project put their Unix sockets, and how other processes find them.

By default ``/tmp/realtime_wall-<uid>/<project>``: a directory that only this user can open, named by the
real path of the settings file, so that a shell, a cron job and a forked worker find the same one without
any setting and two projects never share one. It is not under XDG_RUNTIME_DIR, which a login session and
a service see differently and which is deleted at logout. Where another user was there first, who could only
want to keep the site from starting, it is ``~/.realtime_wall`` instead, for good.
"""

from __future__ import annotations

import fcntl
import grp
import hashlib
import os
import pwd
import stat
import sys
from pathlib import Path
from typing import IO

from django.conf import settings

from realtime_wall.config import Config
from realtime_wall.errors import UnsafeRuntimeDir
from realtime_wall.wire.not_for_forks import not_for_forks

DEFAULT_PARENT = Path("/tmp")
# sockaddr_un has room for 108 bytes, the closing NUL included.
MAX_SOCKET_PATH = 107


def project_dir(config: Config) -> Path:
    """The directory of this project's sockets; it may not exist."""
    parent = Path(config.runtime_dir) if config.runtime_dir else _default_parent()
    return parent / hashlib.sha256(_project().encode()).hexdigest()[:16]


def _default_parent() -> Path:
    """Under /tmp, where anybody may take the name before us; then in the user's home, where nobody can."""
    usual, at_home = DEFAULT_PARENT / f"realtime_wall-{os.getuid()}", _home() / ".realtime_wall"
    # Once it is there it is used, whatever becomes of the other: or servers would miss each other.
    if _owner(at_home) == os.getuid():
        return at_home
    return at_home if _owner(usual) not in (None, os.getuid()) and _is_safe(_home()) else usual


def _home() -> Path:
    """By the system's list of users: a service often has no HOME, or somebody else's."""
    try:
        return Path(pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError:
        return Path("/nonexistent")


def _owner(path: Path) -> int | None:
    try:
        return os.lstat(path).st_uid
    except OSError:
        return None


def _is_safe(home: Path) -> bool:
    """Whether it is there, and nobody else can make something in it."""
    try:
        _check_folder(home, {os.getuid()}, 0o022)
    except UnsafeRuntimeDir:
        return False
    return home.is_dir()


def _project() -> str:
    """What distinguishes this project from another: the real path of its settings file."""
    # A lazy settings object that was configured by hand has no module.
    module = sys.modules.get(getattr(settings, "SETTINGS_MODULE", None) or "")
    path = getattr(module, "__file__", None)
    return os.path.realpath(path or sys.argv[0] or os.getcwd())


def create(config: Config) -> Path:
    """Make the directory, or raise :class:`UnsafeRuntimeDir` when another user could have a hand in it."""
    path = project_dir(config)
    mode = 0o750 if config.bus_group else 0o700
    if not config.runtime_dir:
        _make(path.parent, 0o700)
    _make(path, mode)
    check(config)
    if config.bus_group:
        os.chown(path, -1, group_id(config.bus_group))
        os.chmod(path, mode)
    if len(os.fsencode(path / "0123456789.sock")) > MAX_SOCKET_PATH:
        raise UnsafeRuntimeDir(path, f"is longer than a Unix socket's path may be ({MAX_SOCKET_PATH} bytes)")
    return path


def _make(path: Path, mode: int) -> None:
    try:
        path.mkdir(mode)
    except FileExistsError:
        return
    except OSError as problem:
        raise UnsafeRuntimeDir(path, f"cannot be made: {problem.strerror}") from problem


def check(config: Config) -> None:
    """Raise unless the directory, where it exists, is ours alone (or the group's, when so set)."""
    path = project_dir(config)
    if not config.runtime_dir:
        _check_folder(path.parent, {os.getuid()}, 0o077)
        _check_folder(path, {os.getuid()}, 0o077)
    elif config.bus_group:
        _check_folder(path, None, 0o002)
    else:
        _check_folder(path, {os.getuid(), 0}, 0o022)


def _check_folder(path: Path, owners: set[int] | None, forbidden: int) -> None:
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return
    except OSError as problem:
        raise UnsafeRuntimeDir(path, f"cannot be looked at: {problem.strerror}") from problem
    if not stat.S_ISDIR(found.st_mode):
        raise UnsafeRuntimeDir(path, "is not a directory")
    if owners is not None and found.st_uid not in owners:
        raise UnsafeRuntimeDir(path, f"belongs to another user (uid {found.st_uid})")
    if found.st_mode & forbidden:
        raise UnsafeRuntimeDir(path, f"is open to others (mode {stat.S_IMODE(found.st_mode):o})")


def group_id(name: str) -> int:
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError as problem:
        raise UnsafeRuntimeDir("BUS_GROUP", f"is {name!r}, and there is no such group") from problem


def lock_hub(config: Config) -> IO[bytes] | None:
    """The right to be the hub of this machine's servers, for as long as the file is open; None when taken."""
    lock = (create(config) / "hub.lock").open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        return None
    # Else a child that outlives its server would keep the others from having a hub.
    return not_for_forks(lock)


def sockets(config: Config) -> list[Path]:
    """The Unix sockets of this project, of running servers and of crashed ones."""
    check(config)
    return sorted(project_dir(config).glob("*.sock"))
