"""Who may import whom. The contracts stand in pyproject.toml, under `[tool.importlinter]`."""

import ast
import tomllib
from pathlib import Path

import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

from tests.architecture.source import BASE, modules, tree

SETTINGS = BASE / "pyproject.toml"


@pytest.fixture(autouse=True)
def _in_the_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(BASE)
    monkeypatch.syspath_prepend(BASE)


def test_every_contract_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    kept = lint_imports(config_filename=str(SETTINGS), no_logo=True) == EXIT_STATUS_SUCCESS
    assert kept, capsys.readouterr().out


def test_a_broken_contract_is_noticed(tmp_path: Path) -> None:
    upside_down = SETTINGS.read_text().replace(
        '"campaigns", "catalog", "members", "loyalty"]', '"loyalty", "members", "catalog", "campaigns"]'
    )
    (tmp_path / "pyproject.toml").write_text(upside_down)
    assert lint_imports(config_filename=str(tmp_path / "pyproject.toml"), no_logo=True) != EXIT_STATUS_SUCCESS


def test_whatever_calls_itself_pure_is_held_to_it() -> None:
    contracts = tomllib.loads(SETTINGS.read_text())["tool"]["importlinter"]["contracts"]
    [held] = [set(one["source_modules"]) for one in contracts if one["id"] == "pure"]
    claimed = {
        ".".join(path.relative_to(BASE).with_suffix("").parts)
        for path in modules()
        if (says := ast.get_docstring(tree(path))) and ("Pure" in says or "No I/O" in says)
    }
    assert claimed == held, "a module whose docstring says Pure or No I/O stands in the contract `pure`, and the other way round"
