"""The npm package: packed, installed into an empty folder, used from there; its script is the served one."""

import gzip
import json
import re
import subprocess
import tarfile

import pytest

from tests.live import ROOT
from tests.workers import npm_install

HERE = ROOT / "tests/js"
PARTS = HERE / "npm_package"
SERVED = ROOT / "realtime_wall/static/realtime_wall/realtime.js"
LARGEST = 6 * 1024
ALPINE = """
    let made;
    const Alpine = { data: (name, make) => (made = make()) };
    const document = { addEventListener: (name, begin) => begin() };
"""

pytestmark = pytest.mark.node


def run(*command, **options):
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A project that has the package, and a stand-in for React."""
    folder = tmp_path_factory.mktemp("project")
    run("make", "--silent", "npm", f"NPM_FOLDER={folder}", cwd=ROOT)
    (packed,) = folder.glob("*.tgz")
    modules = folder / "node_modules"
    with tarfile.open(packed) as archive:
        archive.extractall(modules, filter="data")
    (modules / "package").rename(modules / "realtime-wall")
    (modules / "react").mkdir()
    (modules / "react/index.mjs").write_text((PARTS / "react.mjs").read_text())
    (modules / "react/package.json").write_text('{"name": "react", "exports": "./index.mjs"}')
    for name in ("package.test.mjs", "user.ts"):
        (folder / name).write_text((PARTS / name).read_text())
    return folder


def test_its_script_is_the_one_that_django_serves(folder):
    packed = folder / "node_modules/realtime-wall"

    assert (packed / "realtime.js").read_bytes() == SERVED.read_bytes()
    about = json.loads((packed / "package.json").read_text())
    assert about["version"] == re.search(r'^VERSION = "(.+)"$', (ROOT / "setup.py").read_text(), re.M)[1]
    assert all((packed / name).exists() for name in about["files"])


def test_modules_hooks_and_htmx_work_as_installed(folder):
    run("node", "--test", "package.test.mjs", cwd=folder)


def test_a_users_typescript_is_checked(folder):
    install = npm_install(HERE)
    assert install.returncode == 0, install.stderr
    options = (
        "--noEmit --strict --skipLibCheck --module nodenext --moduleResolution nodenext --lib es2022,dom"
    )

    run(HERE / "node_modules/.bin/tsc", *options.split(), "user.ts", cwd=folder)


@pytest.mark.parametrize("name", ["turbo", "alpine"])
def test_an_example_runs(name):
    page = (ROOT / f"npm/examples/{name}.html").read_text()
    (code,) = re.findall(r"<script(?: type=.module.)?>(.*?)</script>", page, re.S)

    code = re.sub(r"^ *import .*$", "", code, flags=re.M)
    if name == "alpine":
        code = f"{ALPINE}{code}made.init(); made.destroy();"
    run("node", HERE / "docs_block.js", input=code)


def test_it_is_as_small_as_the_docs_say_as_it_is_served():
    assert len(gzip.compress(SERVED.read_bytes(), 9)) <= LARGEST
