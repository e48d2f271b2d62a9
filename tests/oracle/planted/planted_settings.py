"""The tests' site with a bug in its server: which one is in the environment (see bugs.py)."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "site"))

from site_settings import *  # noqa: E402, F403

INSTALLED_APPS = [*INSTALLED_APPS, "bugs.PlantedConfig"]  # noqa: F405
