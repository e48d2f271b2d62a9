"""The wheel is complete, and the README's steps lead a new project to a message that arrives."""

import json
import os
import re
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path
from textwrap import dedent
from time import monotonic
from urllib.request import urlopen

import pytest

from tests.integration.test_nginx import free_port
from tests.live import ROOT, LiveServer, wait_for

README = (ROOT / "README.rst").read_text()


def readme_block(file):
    """The README's code block for a file of the reader's site."""
    block = re.search(rf"\.\. code-block:: python\n\n    # {re.escape(file)}\n((?:    .*\n|\n)+)", README)
    assert block is not None, file
    return re.sub(r"^    ", "", block[1], flags=re.M)


def tracked(folder):
    """The files below a folder that belong to the repository, new ones included."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", folder]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in listed.stdout.splitlines() if (ROOT / name).exists()]


PROVE = bool(os.environ.get("REALTIME_WALL_PROVE"))
REPOSITORY = "https://code.example/realtime_wall"
# Of the repository's own.
NOT_PACKED = (".gitattributes",)


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """The source distribution, and the wheel that is built from it, as a release has them."""
    where = tmp_path_factory.mktemp("packages")
    # From a copy: building in the checkout would leave its build/ folder there.
    source = where / "source"
    for name in tracked("."):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes((ROOT / name).read_bytes())
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", where, source]
    environment = {**os.environ, "REPOSITORY_URL": REPOSITORY}
    built = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert built.returncode == 0, built.stdout + built.stderr
    return where


@pytest.fixture(scope="module")
def wheel(packages):
    return next(packages.glob("*.whl"))


def metadata(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return archive.read(name).decode()


def test_an_index_takes_the_packages(packages):
    command = [sys.executable, "-m", "twine", "check", "--strict", *packages.glob("realtime_wall-*")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)

    assert done.returncode == 0, done.stdout
    assert done.stdout.count("PASSED") == 2


def test_the_source_distribution_is_the_repository(packages):
    with tarfile.open(next(packages.glob("*.tar.gz"))) as archive:
        packed = {name.partition("/")[2] for name in archive.getnames()}

    assert set(tracked(".")) - packed <= set(NOT_PACKED)


def test_the_index_shows_pictures_and_pages_by_their_address(wheel):
    text = metadata(wheel)
    pictures = re.findall(r"^\s*\.\. image:: (.+)", text, re.M)
    pages = dict(re.findall(r"^Project-URL: (\w+), (.+)", text, re.M))

    assert pictures == [f"{REPOSITORY}/raw/v0.1.0/docs/wall.png"]
    assert f"`docs/start/chat.rst <{REPOSITORY}/blob/v0.1.0/docs/start/chat.rst>`__" in text
    assert set(pages) == {"Source", "Documentation", "Changes", "Issues", "Security"}
    for address in pages.values():
        place = re.sub(r"^/(?:blob|tree)/v[\d.]+/", "", address.removeprefix(REPOSITORY))
        assert place in ("", "/issues") or (ROOT / place).exists(), address


def test_the_extras_are_those_of_the_docs(wheel):
    extras = set(re.findall(r"^Provides-Extra: (.+)", metadata(wheel), re.M))
    named = {
        extra
        for page in [ROOT / "README.rst", *(ROOT / "docs").rglob("*.rst")]
        for extra in re.findall(r"realtime-wall\[(\w+)\]", page.read_text())
    }

    assert named <= extras
    assert {"wall", "redis", "postgres", "static"} <= extras


def test_the_wheel_has_everything_that_is_not_python(wheel):
    in_wheel = set(zipfile.ZipFile(wheel).namelist())

    in_tree = set(tracked("realtime_wall"))
    assert in_tree - in_wheel == set()
    assert "realtime_wall/py.typed" in in_wheel
    folders = {name.split("/")[0] for name in in_wheel}
    assert all(folder.split("-")[0] == "realtime_wall" for folder in folders)


def installed(wheel, folder):
    """An environment with the package and what it asks for, and nothing else."""
    venv.create(folder)
    python = folder / "bin" / "python"
    # With the pip that is here; and what is never imported need not be compiled.
    install = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-compile", wheel]
    subprocess.run(install, check=True, timeout=500)
    return python, ""


def unpacked(wheel, folder):
    """Beside what is installed here, which takes a tenth of the time."""
    zipfile.ZipFile(wheel).extractall(folder)
    return Path(sys.executable), str(folder)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("way", [installed if PROVE else unpacked])
def test_a_new_project_by_the_readme_hears_what_is_published(wheel, tmp_path, way):
    python, path = way(wheel, tmp_path / "environment")
    site = tmp_path / "site"
    site.mkdir()
    subprocess.run([python, "-m", "django", "startproject", "mysite", site], check=True)
    subprocess.run([python, "manage.py", "startapp", "chat"], cwd=site, check=True)
    for file in ("mysite/settings.py", "mysite/urls.py", "chat/events.py"):
        with open(site / file, "a") as opened:
            opened.write("\n" + readme_block(file))
    (shell,) = re.findall(r'python manage.py shell -c "(.*publish.*)"', README)

    class NewSite(LiveServer):
        executable = str(python)
        may_be_forked = False  # that would have this folder's package

    server = NewSite(project=site)
    server.environment["PYTHONPATH"] = path
    checked = server.manage("check", "--fail-level", "WARNING")
    with server, server.client() as client:
        joined = client.ask("join", "Ada")
        where = server.manage(
            "shell", "-v0", "-c", "import realtime_wall; print(realtime_wall.__file__)"
        ).stdout
        done = server.manage("shell", "-c", shell)
        arrived = client.read_until(lambda one: one.get("message") == "Lunch is ready")

    assert checked.returncode == 0, checked.stderr
    assert joined is True
    assert where.startswith(str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert (arrived["type"], arrived["channel"]) == ("note", "lobby")


@pytest.mark.prove
@pytest.mark.timeout(600)
def test_five_commands_lead_from_an_empty_folder_to_a_live_page_in_three_minutes(wheel, tmp_path):
    page = (ROOT / "docs/start/first-page.rst").read_text()
    (block,) = re.findall(r"code-block:: text\n\n((?:    .*\n)+)", page)
    *commands, serve = [line.strip().replace("realtime-wall", str(wheel)) for line in block.splitlines()]
    venv.create(tmp_path / "environment", with_pip=True)
    path = f"{tmp_path / 'environment/bin'}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path}
    del environment["DJANGO_SETTINGS_MODULE"]  # the tests' own
    folder, port = tmp_path / "folder", free_port()
    folder.mkdir()

    began = monotonic()
    for command in commands:
        subprocess.run(["bash", "-c", command], cwd=folder, env=environment, check=True)
    with subprocess.Popen(["bash", "-c", f"exec {serve} {port}"], cwd=folder, env=environment) as server:
        try:
            wait_for(lambda: "realtime.js" in text_of(f"http://127.0.0.1:{port}/live/"), "the page")
        finally:
            server.terminate()
    took = monotonic() - began

    print(f"{len(commands) + 1} commands, {took:.0f} s")
    assert (len(commands) + 1, took < 180) == (5, True)


def text_of(url):
    """Empty while nobody listens."""
    try:
        with urlopen(url, timeout=10) as answer:
            return answer.read().decode()
    except OSError:
        return ""


CHAT = {
    "manage.py": """
        import os, sys
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chat_settings")
        from django.core.management import execute_from_command_line
        execute_from_command_line(sys.argv)
    """,
    "chat_settings.py": """
        import json, os
        SECRET_KEY = "x" * 50
        ALLOWED_HOSTS = ["*"]
        INSTALLED_APPS = ["realtime_wall"]
        ROOT_URLCONF = "chat_urls"
        REALTIME_WALL = json.loads(os.environ["SITE_REALTIME_WALL"])
    """,
    "chat_urls.py": """
        import sys
        from django.http import JsonResponse
        from django.urls import include, path
        roots = lambda: sorted({name.partition(".")[0] for name in sys.modules})
        loaded = lambda request: JsonResponse({"roots": roots()})
        urlpatterns = [path("", include("realtime_wall.urls")), path("loaded/", loaded)]
    """,
}


def test_a_chat_site_loads_neither_tweepy_nor_requests(tmp_path):
    for name, text in CHAT.items():
        (tmp_path / name).write_text(dedent(text))
    with LiveServer(project=tmp_path) as server, server.client():
        loaded = set(json.loads(server.get("/loaded/").body)["roots"])

    assert {"gevent", "realtime_wall"} <= loaded
    assert not {"tweepy", "requests"} & loaded
