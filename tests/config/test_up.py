"""`manage.py up` opens the whole product, tells where it is, and closes it; or says why it cannot."""

import http.client
import re
import signal
from pathlib import Path

from tests.config.households import product

OPENING_SECONDS = 90.0  # a first start on a busy machine: cluster, tables, static files, five processes


def test_the_whole_product_opens_and_closes(tmp_path: Path, free_port: int) -> None:
    data = tmp_path / "box"
    with product(data, free_port) as house:
        house.hear("Regulars is ready", within=OPENING_SECONDS)
        assert f"Member portal   http://localhost:{free_port}/" in house.said
        line = http.client.HTTPConnection("127.0.0.1", free_port)
        line.request("GET", "/readyz")
        assert line.getresponse().status == http.HTTPStatus.OK
        line.close()
        assert (data / "secret_key").stat().st_mode & 0o077 == 0, "for this user's eyes"
        assert (data / "environment").stat().st_mode & 0o077 == 0
        house.ask(signal.SIGINT)
        assert house.outcome() == 0
        assert re.findall(r"^Stopping (\w+)", house.said, re.MULTILINE) == ["beat", "web", "worker", "valkey", "postgres"]
        assert not (data / "environment").exists(), "nobody is sent to servers that are gone"
        house.leaves_nothing()


def test_a_port_in_use_is_refused_before_anything_starts(tmp_path: Path, shared_port: int) -> None:
    data = tmp_path / "box"
    with product(data, shared_port) as house:
        assert house.outcome() == 1
        assert f"Port {shared_port} is in use by another program." in house.said
        assert [path.name for path in data.iterdir()] == ["up.lock"]
