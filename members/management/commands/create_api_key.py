from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from loyalty.queries import stores_by_code
from members.access import SCOPES, create_key
from members.models import User


class Command(BaseCommand):
    """`manage.py create_api_key NAME --scope pos`: the key alone stands on the last line; it is not kept."""

    help = "Make an API key and print it, once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="who uses it, such as `till 3`")
        parser.add_argument("--scope", action="append", required=True, choices=SCOPES, help="what it may do; may be repeated")
        parser.add_argument("--store", help="code of the only store it may write for")

        answers = "e-mail of the member of staff who answers for it; what it asks for, somebody else has to approve"
        parser.add_argument("--made-by", metavar="EMAIL", help=answers)

    def handle(self, *args: Any, **options: Any) -> None:
        stores = stores_by_code([options["store"]] if options["store"] else [])
        if options["store"] and not stores:
            raise CommandError(f"There is no store {options['store']}.")
        store = next(iter(stores.values())).id if stores else None
        _id, key = create_key(options["name"], options["scope"], store=store, made_by=self._maker(options["made_by"]))
        self.stdout.write("Keep this key now; it is shown only here.")
        self.stdout.write(key)

    def _maker(self, email: str | None) -> UUID | None:
        if email is None:
            return None
        maker = User.objects.filter(email__iexact=email, is_staff=True).first()
        if maker is None:
            raise CommandError(f"No member of staff has the e-mail address {email}.")
        return maker.actor
