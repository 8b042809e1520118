import signal
import threading
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from loyalty import checkpoints, sealing
from loyalty.checkpoints import Sealed


class Command(BaseCommand):
    """`manage.py seal_ledger`."""

    help = "Write a signed checkpoint of the ledger. REGULARS_SEAL_KEY names the key's file, for this process alone."

    def add_arguments(self, parser: CommandParser) -> None:
        stay = "stay, seal again and again, and a last time when asked to stop"
        parser.add_argument("--every", type=float, metavar="SECONDS", help=stay)
        folder = "where checkpoints go (default: REGULARS_SEAL_FOLDER)"
        parser.add_argument("--folder", type=Path, default=settings.SEAL_FOLDER, help=folder)

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.SEAL_KEY or not options["folder"]:
            raise CommandError("Set REGULARS_SEAL_KEY to the file of the key, and REGULARS_SEAL_FOLDER to a folder.")
        key, folder, every = checkpoints.load_key(settings.SEAL_KEY), options["folder"], options["every"]
        try:
            if every is None:
                sealed = sealing.seal(folder, key)
                self.stdout.write(sealed.line if sealed else "Nothing has changed.")
            else:
                self._stay(folder, key, every)
        except sealing.TamperedError as error:
            raise CommandError(str(error)) from None

    def _stay(self, folder: Path, key: Ed25519PrivateKey, every: float) -> None:
        stopping = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
        while not stopping.is_set():
            self._say(sealing.seal(folder, key))
            connection.close()  # nothing is held while waiting
            stopping.wait(every)
        self._say(sealing.seal(folder, key))

    def _say(self, sealed: Sealed | None) -> None:
        if sealed:
            self.stdout.write(f"Checkpoint {sealed.number}: {len(sealed.heads):,} of {sealed.body['wallets']:,} wallets changed.")
            self.stdout.flush()
