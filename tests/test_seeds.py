"""What the five earlier projects promised is proved by a test, or has its row in docs/howto/upgrade.rst."""

import re

import pytest

from tests import features

TABLE = features.ROOT / "tests/seeds.txt"
PAGE = features.ROOT / "docs/howto/upgrade.rst"


def promises():
    project = ""
    for line in TABLE.read_text().splitlines():
        if line.startswith("["):
            project = line[1:-1]
        elif line and not line.startswith("#"):
            what, _, proof = line.partition(" | ")
            yield project, what, proof


def words(text):
    return " ".join(text.replace("``", "").split())


PROMISES = list(promises())
SECTIONS = {
    title: words(text)
    for title, text in re.findall(r"^(From [^\n]+)\n-+\n(.*?)(?=^From |\Z)", PAGE.read_text(), re.M | re.S)
}


def test_the_five_projects_are_there():
    assert {project for project, _, _ in PROMISES} == SECTIONS.keys()
    assert len(SECTIONS) == 5


@pytest.mark.parametrize(("project", "what", "proof"), PROMISES)
def test_a_promise_is_kept_or_has_its_row(project, what, proof):
    if proof.startswith("> "):
        assert words(proof.removeprefix("> ")) in SECTIONS[project]
    else:
        assert features.exists(proof)
