"""``make matrix``: the tests on each Python with each Django that this machine has, and what it has not.

A cell is green or red, with its versions and what pytest counted, or named with why it was not run.
``ARGS`` go to pytest; a cell that had some says so, as it is not about all of the tests.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
CELLS = ROOT / ".matrix"
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
# From which Python on each runs: https://docs.djangoproject.com/en/dev/faq/install/
DJANGOS = {"5.2": "3.11", "6.0": "3.12", "6.1": "3.12"}

# What pytest says at the end; once more where tests ran again.
COUNTED = re.compile(r"^=* ?(\d+ \w+.* in [\d.]+s.*?) ?=*$", re.M)
AS_THE_GATE = ["--numprocesses", "4", "--dist", "loadfile", "--no-loadscope-reorder"]


def interpreter(version: str) -> str | None:
    """A Python of this version, on the path or of pyenv's."""
    found = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
    if f"{sys.version_info.major}.{sys.version_info.minor}" == version:
        return sys.executable
    # pyenv's first: what it has on the path are names that may stand for nothing.
    return str(found[-1]) if found else shutil.which(f"python{version}")


def run(*command: str | Path, log: Path) -> bool:
    with log.open("a") as lines:
        return subprocess.run(list(map(str, command)), cwd=ROOT, stdout=lines, stderr=lines).returncode == 0


def try_cell(python: str, version: str, django: str, arguments: list[str]) -> str:
    folder = CELLS / f"python{version}-django{django}"
    log = CELLS / f"{folder.name}.log"
    log.unlink(missing_ok=True)
    own = folder / "bin" / "python"
    if not own.exists() and not run(python, "-m", "venv", folder, log=log):
        return f"red: no virtual environment, see {log.relative_to(ROOT)}"
    wanted = ["--editable", ".[dev,static]", f"Django~={django}.0"]
    if not run(own, "-m", "pip", "install", "--quiet", *wanted, log=log):
        return f"not run: cannot be installed, see {log.relative_to(ROOT)}"
    green = run(own, "-m", "tests.rerun", "--quiet", *(arguments or AS_THE_GATE), log=log)
    counted = "; alone: ".join(COUNTED.findall(log.read_text(errors="replace"))) or "nothing counted"
    of_what = f" of {' '.join(arguments)}" if arguments else ""
    verdict = f"{versions(own)}: {counted}{of_what}"
    return f"green ({verdict})" if green else f"red ({verdict}), see {log.relative_to(ROOT)}"


def versions(python: Path) -> str:
    code = "import platform, django; print(platform.python_version(), 'with', django.__version__)"
    return subprocess.run([python, "-c", code], capture_output=True, text=True).stdout.strip()


def main() -> int:
    CELLS.mkdir(exist_ok=True)
    is_red = False
    for version in PYTHONS:
        python = interpreter(version)
        for django, since in DJANGOS.items():
            if tuple(map(int, version.split("."))) < tuple(map(int, since.split("."))):
                verdict = f"not run: Django {django} begins with Python {since}"
            elif python is None:
                verdict = f"not run: no Python {version} on this machine"
            else:
                verdict = try_cell(python, version, django, sys.argv[1:])
            is_red = is_red or verdict.startswith("red")
            print(f"Python {version}, Django {django}: {verdict}", flush=True)
    return int(is_red)


if __name__ == "__main__":
    sys.exit(main())
