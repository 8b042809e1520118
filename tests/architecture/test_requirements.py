"""requirements.txt, from which production images are built, is what pyproject.toml resolves to."""

import re
import shutil
import subprocess
import tomllib

import pytest

from tests.architecture.source import BASE, nothing

OPTIONS = "--no-default-groups --extra prod --no-emit-project --no-header --format requirements-txt"
REQUIREMENTS = BASE / "requirements.txt"


def test_it_is_in_step() -> None:
    if not shutil.which("uv") or not (BASE / "uv.lock").exists():
        pytest.skip("UV IS NOT INSTALLED OR HAS LOCKED NOTHING: requirements.txt was not compared")
    command = ["uv", "export", "--frozen", *OPTIONS.split()]
    exported = subprocess.run(command, cwd=BASE, capture_output=True, text=True, check=True).stdout
    assert exported == REQUIREMENTS.read_text(), f"run: uv export -q {OPTIONS} -o requirements.txt"


def complaints(text: str) -> list[str]:
    """Entries that are no exact pin with hashes, or that say where to download from."""
    entries = re.split(r"\n(?=\S)", text.strip())
    return [one for one in entries if not re.match(r"[\w.-]+==[\w.]+( ; [^\n]+)? \\\n    --hash=sha256:", one) or "//" in one]


def test_it_pins_every_direct_dependency_with_hashes_and_names_no_host() -> None:
    text = REQUIREMENTS.read_text()
    nothing(complaints(text))
    project = tomllib.loads((BASE / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["prod"]]
    pins = [re.sub(r"\[.*\]", "", one) for one in wanted]
    nothing(f"{one} is missing" for one in pins if f"\n{one} \\\n" not in f"\n{text}")


@pytest.mark.parametrize(
    "entry", ["django==6.1.3", "django>=6 \\\n    --hash=sha256:0", "--index-url https://example.com/simple"]
)
def test_a_loose_entry_is_noticed(entry: str) -> None:
    assert complaints(f"{entry}\n") == [entry]
