"""A page may take 15 seconds of the database's time; work in the background takes what it needs."""

import json
import subprocess
import sys

import pytest

from config.onebox.programs import BASE

OPTIONS = (
    "import json, sys; sys.argv = json.loads(sys.argv[1]); from config import settings; print(settings.DATABASES['default'])"
)


@pytest.mark.parametrize(
    ("argv", "limited"),
    [
        (["/venv/lib/site-packages/granian/__main__.py", "config.wsgi:application"], True),
        (["/venv/bin/celery", "-A", "config", "worker"], False),
        (["/venv/lib/site-packages/celery/__main__.py", "-A", "config", "worker"], False),
        (["manage.py", "verify_ledger"], False),
    ],
)
def test_only_pages_are_limited(argv: list[str], limited: bool) -> None:
    said = subprocess.run([sys.executable, "-c", OPTIONS, json.dumps(argv)], cwd=BASE, capture_output=True, text=True, check=True)
    assert ("statement_timeout=15s" in said.stdout) == limited
    assert "lock_timeout=5s" in said.stdout, "nobody waits for a lock for ever"
