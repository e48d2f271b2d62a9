"""Our scripts keep the types in their comments, and what they share (pages.d.ts): TypeScript reads them."""

import subprocess
from pathlib import Path

import pytest

from tests.workers import npm_install

HERE = Path(__file__).parent


@pytest.mark.node
@pytest.mark.parametrize("project", ["tsconfig.json", "tsconfig.client.json"])
def test_no_script_has_a_type_that_does_not_fit(project):
    """All strictly, but for the parameters of realtime.js, which is as small as it is served."""
    install = npm_install(HERE)
    if install.returncode:
        pytest.skip(f"npm could not install TypeScript: {install.stderr[-500:]}")

    run = subprocess.run(
        ["node_modules/.bin/tsc", "--project", project], cwd=HERE, capture_output=True, text=True, timeout=120
    )

    assert run.returncode == 0, run.stdout
