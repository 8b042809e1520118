import os
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from loyalty.problems import Problem
from members import contacts
from members.models import StaffProfile
from members.staffing import employ


class Command(BaseCommand):
    """`manage.py create_staff EMAIL --role owner`: the password alone stands on the last line."""

    help = "Make a member of staff, or give one who is there another role, stores and password."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", help="with which they sign in at /accounts/login/")
        parser.add_argument("--role", required=True, choices=StaffProfile.Role.values)
        parser.add_argument(
            "--store", action="append", default=[], help="code of a store; may be repeated; without it, every store"
        )
        parser.add_argument("--name", default="", help="as colleagues know them")

    def handle(self, *args: Any, **options: Any) -> None:
        given = os.environ.get("REGULARS_STAFF_PASSWORD")
        try:
            email = contacts.email(options["email"])
            if given:
                validate_password(given)
            password = employ(email, role=options["role"], name=options["name"], stores=options["store"], password=given)
        except (Problem, ValueError) as error:
            raise CommandError(str(error)) from None
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        self.stdout.write(f"{email} signs in at /accounts/login/ with this password:")
        self.stdout.write(password)
