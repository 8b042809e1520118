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
        assert (data / "seal" / "key.pem").stat().st_mode & 0o077 == 0
        assert "REGULARS_SEAL_KEY" not in (data / "environment").read_text(), "the sealer alone is told"
        assert (data / "environment").stat().st_mode & 0o077 == 0
        house.hear("Checkpoint 1: 0 of 0 wallets changed.", within=OPENING_SECONDS)
        house.ask(signal.SIGINT)
        assert house.outcome() == 0
        stopped = ["beat", "web", "worker", "sealer", "valkey", "postgres"]
        assert re.findall(r"^Stopping (\w+)", house.said, re.MULTILINE) == stopped
        assert not (data / "environment").exists(), "nobody is sent to servers that are gone"
        house.leaves_nothing()
        assert (data / "seal" / "checkpoints" / "latest.txt").read_text().startswith("000001 ")


def test_a_port_in_use_is_refused_before_anything_starts(tmp_path: Path, shared_port: int) -> None:
    data = tmp_path / "box"
    with product(data, shared_port) as house:
        assert house.outcome() == 1
        assert f"Port {shared_port} is in use by another program." in house.said
        assert [path.name for path in data.iterdir()] == ["up.lock"]
