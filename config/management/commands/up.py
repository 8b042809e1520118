"""`manage.py up`: the whole product with one command."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from config import environment
from config.onebox import box
from config.onebox.application import Wish
from config.onebox.console import Console
from config.onebox.programs import OneBoxError


def port(text: str) -> int:
    """A port number, or ValueError."""
    number = int(text)
    if not 0 < number < 1 << 16:
        raise ValueError(text)
    return number


class Command(BaseCommand):
    """Starts PostgreSQL, Valkey, web, worker, beat and sealer on this machine, and keeps them running."""

    help = (
        "Run everything on this machine: database, broker, web, worker, beat and sealer. The data stay in the "
        "folder named by REGULARS_DATA. Where DATABASE_URL or REDIS_URL is set, that server is used instead."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--demo", action="store_true", help="fill a demo shop first (harmless to repeat)")
        parser.add_argument("--port", type=port, default=8000, metavar="N", help="port of the web server (default: 8000)")
        parser.add_argument(
            "--host",
            default="127.0.0.1",
            help="address to listen on (default: this machine alone); the names that people use go into REGULARS_HOSTS",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        data = environment.data_folder().absolute()
        wish = Wish(data=data, host=options["host"], port=options["port"], demo=options["demo"])
        try:
            box.run(wish, Console())
        except OneBoxError as error:
            raise CommandError(str(error)) from None
