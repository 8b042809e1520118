"""Asked to stop, the web program ends, also with a worker that does not: whoever starts it next finds its port free."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from config.onebox import application
from config.onebox.application import Wish
from config.onebox.programs import end, spawn
from tests.committing import Database
from tests.config.households import wait_for
from tests.reliability.box import children

END_SECONDS = 15.0


def test_a_worker_that_hangs_is_ended(committing_db: Database, tmp_path: Path, free_port: int) -> None:
    wish = Wish(data=tmp_path, host="127.0.0.1", port=free_port, demo=False)
    env = application.environment(wish) | {"DATABASE_URL": committing_db.url(), "DJANGO_SETTINGS_MODULE": "config.settings"}
    web = next(one for one in application.programs(wish, env) if one.name == "web")
    process = spawn(web, subprocess.DEVNULL)
    try:
        wait_for(lambda: application.answers(wish), 60)
        hanging, *_ = children(process.pid)
        os.kill(hanging, signal.SIGSTOP)
        process.send_signal(signal.SIGTERM)
        assert process.wait(END_SECONDS) is not None
    except subprocess.TimeoutExpired:
        pytest.fail("it waits for ever for a worker that hangs")
    finally:
        end(web, process)
