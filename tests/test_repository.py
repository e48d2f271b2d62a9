"""What people and services look for in the repository is there, and well-formed."""

import ast
import re

import pytest
from check_jsonschema import main as check_jsonschema
from click.testing import CliRunner
from ruamel.yaml import YAML

from tests.live import ROOT
from tests.matrix import DJANGOS, PYTHONS

DEPLOY = ROOT / "docs/howto/deploy"
SCHEMAS = {
    "vendor.github-workflows": sorted((ROOT / ".github/workflows").glob("*.yml")),
    "vendor.github-issue-forms": [ROOT / f".github/ISSUE_TEMPLATE/{name}.yml" for name in ("bug", "idea")],
    "vendor.github-issue-config": [ROOT / ".github/ISSUE_TEMPLATE/config.yml"],
    "vendor.dependabot": [ROOT / ".github/dependabot.yml"],
    "vendor.compose-spec": [DEPLOY / "compose.yaml"],
}


def read(path):
    return YAML(typ="safe").load(path)


def test_files_of_services_fit_their_schemas():
    for schema, files in SCHEMAS.items():
        done = CliRunner().invoke(check_jsonschema, ["--builtin-schema", schema, *map(str, files)])
        assert done.exit_code == 0, done.output


def test_the_matrix_is_the_one_that_we_run_and_say():
    matrix = read(ROOT / ".github/workflows/tests.yml")["jobs"]["matrix"]["strategy"]["matrix"]
    classifiers = set(
        re.findall(
            r'"(?:Framework :: Django|Programming Language :: Python) :: ([\d.]+\.\d+)"', text_of("setup.py")
        )
    )

    assert tuple(matrix["python"]) == PYTHONS
    assert set(matrix["django"]) <= DJANGOS.keys()
    assert classifiers == {*matrix["python"], *matrix["django"]}


def text_of(name):
    return (ROOT / name).read_text()


def test_what_is_run_before_a_commit_is_what_make_test_runs():
    hooks = read(ROOT / ".pre-commit-config.yaml")["repos"][0]["hooks"]

    for hook in hooks:
        assert hook["entry"].removeprefix(".venv/bin/").split(" --")[0] in text_of("Makefile")


@pytest.mark.parametrize("name", ["SECURITY", "CODE_OF_CONDUCT"])
def test_policies_are_where_people_look(name):
    assert text_of(f".github/{name}.rst").startswith(name.replace("_", " ").capitalize())


# The image and its neighbours


def instructions():
    """Of the last stage of the Dockerfile: (word, rest)."""
    text = re.sub(r"#.*\n", "", text_of("docs/howto/deploy/Dockerfile")).replace("\\\n", " ")
    lines = [line.split(None, 1) for line in text.splitlines() if line.strip()]
    last = max(number for number, (word, _) in enumerate(lines) if word == "FROM")
    return dict(lines[last:])


def test_the_image_runs_as_nobody_in_particular_and_says_how_it_is():
    found = instructions()

    assert int(found["USER"]) >= 1000
    assert found["STOPSIGNAL"] == "SIGTERM"
    assert ast.literal_eval(found["CMD"])[:3] == ["python", "manage.py", "rungevent"]
    assert "CMD [" in found["HEALTHCHECK"]
    assert ":latest" not in found["FROM"] and ":" in found["FROM"]


def test_the_composed_servers_are_two_and_nginx_knows_both():
    services = read(DEPLOY / "compose.yaml")["services"]
    upstream = re.findall(r"server (\w+):8000", text_of("docs/howto/deploy/nginx-compose.conf"))

    assert upstream == [name for name in services if name.startswith("site")] == ["site1", "site2"]
    for name in upstream:
        assert services[name]["read_only"] and services[name]["cap_drop"] == ["ALL"]
    for service in services.values():
        assert ":" in service.get("image", "built:here")


def test_the_composed_nginx_passes_on_what_the_documented_one_does():
    lines = [
        set(re.findall(r"^\s+((?:proxy|client)_.*;)$", text_of(f"docs/howto/deploy/{name}.conf"), re.M))
        for name in ("nginx", "nginx-compose")
    ]

    assert lines[0] == lines[1]
