from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from loyalty.queries import stores_by_code
from members.access import SCOPES, create_key


class Command(BaseCommand):
    """`manage.py create_api_key NAME --scope pos`: the key alone stands on the last line; it is not kept."""

    help = "Make an API key and print it, once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="who uses it, such as `till 3`")
        parser.add_argument("--scope", action="append", required=True, choices=SCOPES, help="what it may do; may be repeated")
        parser.add_argument("--store", help="code of the only store it may write for")

    def handle(self, *args: Any, **options: Any) -> None:
        stores = stores_by_code([options["store"]] if options["store"] else [])
        if options["store"] and not stores:
            raise CommandError(f"There is no store {options['store']}.")
        store = next(iter(stores.values())).id if stores else None
        _id, key = create_key(options["name"], options["scope"], store=store)
        self.stdout.write("Keep this key now; it is shown only here.")
        self.stdout.write(key)
