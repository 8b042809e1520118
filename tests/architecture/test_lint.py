"""The linter, the formatter and the type checker, run as anybody would run them."""

import subprocess
import sys

import pytest

from tests.architecture.source import BASE


@pytest.mark.timeout(600)
@pytest.mark.parametrize("tool", ["ruff check --output-format concise", "ruff format --check --output-format concise", "mypy ."])
def test_it_has_nothing_to_say(tool: str) -> None:
    said = subprocess.run([sys.executable, "-m", *tool.split()], cwd=BASE, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout + said.stderr
