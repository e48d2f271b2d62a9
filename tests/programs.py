"""Which programs do tests need that no package of Python's brings, and where are they?"""

import shutil

# By marker: the programs, and who has them.
NEEDED = {
    "browser": (("chromium",), "Debian's package chromium-headless-shell, or chromium"),
    "node": (("node", "npm"), "Debian's packages nodejs and npm"),
    "nginx": (("nginx",), "Debian's package nginx"),
    "redis": (("redis-server",), "Debian's package redis-server"),
}


def find(program):
    """Its path; None when it is not there. Chromium without a window takes two thirds of the other's time."""
    if program == "chromium":
        return shutil.which("chromium-headless-shell") or shutil.which("chromium")
    return shutil.which(program)


def what_is_missing(marker):
    """What to install; None when nothing is missing."""
    programs, package = NEEDED[marker]
    return None if all(map(find, programs)) else package
