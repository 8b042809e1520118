"""The product's own processes on one box, and the environment they all share."""

import http.client
import os
import secrets
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from config.onebox.programs import Program

# Compiling every module again in each process costs seconds; the connection pool is for the web process, the key that
# signs checkpoints for the sealer.
UNWANTED = {"PYTHONDONTWRITEBYTECODE", "DB_POOL", "REGULARS_SEAL_KEY"}
SEAL_EVERY = 300  # seconds
# The worker has a page to say about root; `box.py` says it in a line.
CALM = "ignore:You're running the worker with superuser privileges"
EVERY_INTERFACE = {"0.0.0.0", "::"}  # noqa: S104 - compared with, not listened on


@dataclass(frozen=True)
class Wish:
    """What the person at the console asked for."""

    data: Path
    host: str
    port: int
    demo: bool


def environment(wish: Wish) -> dict[str, str]:
    """What every process is told, the servers' addresses apart.

    The public names and the key may come from the person's own environment.
    """
    mine = {name: value for name, value in os.environ.items() if name not in UNWANTED}
    chosen = {
        "SECRET_KEY": mine.get("SECRET_KEY") or _kept_secret(wish.data / "secret_key"),
        "REGULARS_HOSTS": ",".join([*filter(None, [mine.get("REGULARS_HOSTS")]), "localhost", "127.0.0.1"]),
        "REGULARS_ORIGIN": mine.get("REGULARS_ORIGIN", f"http://localhost:{wish.port}"),
        "REGULARS_MAIL_DIR": mine.get("REGULARS_MAIL_DIR", str(wish.data / "mail")),
        "REGULARS_DATA": str(wish.data),
        "REGULARS_STATIC_ROOT": str(wish.data / "static"),
        "REGULARS_MEDIA_ROOT": mine.get("REGULARS_MEDIA_ROOT", str(wish.data / "media")),
        "REGULARS_SEAL_FOLDER": mine.get("REGULARS_SEAL_FOLDER", str(wish.data / "seal" / "checkpoints")),
        "REGULARS_SEAL_PUBLIC_KEY": mine.get("REGULARS_SEAL_PUBLIC_KEY", f"{seal_key(wish)}.pub"),
        "REGULARS_ONE_BOX": "1",
    }
    return mine | chosen


def seal_key(wish: Wish) -> Path:
    """The file of the key that signs checkpoints: the person's own, or one that is made at the first start."""
    return Path(os.environ.get("REGULARS_SEAL_KEY") or wish.data / "seal" / "key.pem").absolute()


def programs(wish: Wish, env: Mapping[str, str]) -> list[Program]:
    """Sealer, worker, web and beat, in the order of their start; the sealer ends last and seals what the others wrote."""
    # People at the till come before work in the background.
    celery = ("nice", "-n", "5", sys.executable, "-m", "celery", "-q", "-A", "config")
    web = (
        sys.executable, "-m", "granian", "--interface", "wsgi", "--host", wish.host, "--port", str(wish.port),
        "--workers", "2", "--blocking-threads", "4", "--no-ws", "--respawn-failed-workers", "--workers-kill-timeout", "8",
        "config.wsgi:application",
    )  # fmt: skip
    worker = (
        *celery, "worker", "--pool", "prefork", "--concurrency", "2", "-n", "regulars@%h", "--loglevel", "WARNING",
        "--without-gossip", "--without-mingle",
    )  # fmt: skip
    sealer = ("nice", "-n", "5", sys.executable, "manage.py", "seal_ledger", "--every", str(SEAL_EVERY))
    return [
        Program(name="sealer", argv=sealer, env={**env, "REGULARS_SEAL_KEY": str(seal_key(wish))}, patience=30.0),
        Program(name="worker", argv=worker, env={**env, "PYTHONWARNINGS": CALM}, patience=30.0),
        Program(name="web", argv=web, env={**env, "DB_POOL": "1"}),
        Program(name="beat", argv=(*celery, "beat", "--loglevel", "WARNING"), env=env),
    ]


def answers(wish: Wish) -> bool:
    """Whether the web server and all that it needs are ready."""
    host = "127.0.0.1" if wish.host in EVERY_INTERFACE else wish.host
    line = http.client.HTTPConnection(host, wish.port, timeout=2.0)
    try:
        line.request("GET", "/readyz", headers={"Host": f"localhost:{wish.port}"})
        return line.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        line.close()


@contextmanager
def announced(wish: Wish, env: Mapping[str, str]) -> Iterator[None]:
    """Tell other commands, for as long as the body runs, where this box's servers are.

    `config.environment` reads the file, so `manage.py verify_ledger` needs no settings of its own.
    """
    file = wish.data / "environment"
    wanted = sorted(
        name for name in env if name in {"DATABASE_URL", "REDIS_URL", "DATABASE_OWNER_URL", "SECRET_KEY"}
        or name.startswith("REGULARS_")
    )  # fmt: skip
    file.unlink(missing_ok=True)
    _write_private(file, "".join(f"{name}={env[name]}\n" for name in wanted))
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def _kept_secret(file: Path) -> str:
    """The key that signs sessions and tokens: made once, then the same for ever."""
    if not file.exists():
        _write_private(file, secrets.token_urlsafe(50))
    return file.read_text().strip()


def _write_private(file: Path, text: str) -> None:
    """Write a file that only this user can read at any moment, and that is whole or not there."""
    half = file.with_name(f"{file.name}.new")
    half.unlink(missing_ok=True)
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    half.replace(file)
