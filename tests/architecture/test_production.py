"""compose.yaml and the documentation name the settings that exist, and the ledger's owner is kept from the application."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.architecture.source import BASE, ROOMS, files, nothing, place

READ = re.compile(r'environment\.(?:text|file|flag|whole|names)\(\s*"(\w+)"')
SUBSTITUTED = re.compile(r"(?<!\$)\$\{(\w+)")
# What the images of other projects ask for.
OF_OTHERS = {"POSTGRES_PASSWORD", "DATABASE_OWNER_PASSWORD", "DATABASE_APP_PASSWORD"}


def known_names() -> set[str]:
    """Every variable that the settings read."""
    return set(READ.findall((BASE / "config/settings.py").read_text()))


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((BASE / "compose.yaml").read_text())["services"]
    return found


def test_services_are_given_settings_that_exist(services: dict[str, Any]) -> None:
    assert {"web", "worker", "beat", "migrate", "postgres", "valkey"} <= services.keys()
    given = {name for service in services.values() for name in service.get("environment", {})}
    assert given - known_names() - OF_OTHERS == set()


def test_only_migrate_is_the_owner(services: dict[str, Any]) -> None:
    owners = {name for name, one in services.items() if "regulars_owner" in str(one) or "DATABASE_OWNER_URL" in str(one)}
    assert owners == {"migrate"}
    for name in ("web", "worker", "beat"):
        assert "migrate" in services[name]["depends_on"], name
        assert services[name]["read_only"]


def test_what_compose_asks_for_is_in_the_example() -> None:
    text = (BASE / "compose.yaml").read_text()
    offered = {line.partition("=")[0] for line in (BASE / "compose.env.example").read_text().splitlines()}
    required = set(re.findall(r"(?<!\$)\$\{(\w+):\?", text))
    assert required
    assert required - offered == set()
    assert {name for name in offered if name and name[0].isalpha()} - set(SUBSTITUTED.findall(text)) == set()


def test_mounted_files_exist() -> None:
    whole = yaml.safe_load((BASE / "compose.yaml").read_text())
    files = {Path(one["file"]) for one in whole["configs"].values() if "file" in one}
    assert files
    assert all((BASE / file).is_file() for file in files)
    mounted = {one["source"] for service in whole["services"].values() for one in service.get("configs", [])}
    assert mounted == whole["configs"].keys()


def test_every_setting_is_documented() -> None:
    text = (BASE / "docs/operations.md").read_text()
    documented = set(re.findall(r"`([A-Z][A-Z_]+)`", text))
    assert known_names() - documented == set()
    assert {name for name in documented if name.startswith(("REGULARS_", "SMTP_"))} - known_names() - {"REGULARS_DATA"} == set()


def test_the_product_carries_no_failpoints() -> None:
    """Processes under test bring their own (tests/reliability/failpoints.py)."""
    found = files(*(f"{room}/**/*.{kind}" for room in ROOMS for kind in ("py", "sql")), "manage.py", "Dockerfile", "compose.yaml")
    assert len(found) > 100
    nothing(place(path) for path in found if re.search("failpoint|tests.reliability", path.read_text(), re.IGNORECASE))
