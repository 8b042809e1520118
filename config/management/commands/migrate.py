"""`migrate`, run as the role that owns the tables: the application's own role may not change the schema."""

from typing import Any

import dj_database_url
from django.conf import settings
from django.core.management.commands import migrate
from django.db import connections

from members import roles


class Command(migrate.Command):
    """Django's own, on DATABASE_OWNER_URL where that is set; staff roles then get the rights of what is new."""

    # The database check looks at the role of the application, which is not the one at work here.
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.DATABASE_OWNER_URL:
            connection = connections[options["database"]]
            connection.close()
            owner = dj_database_url.parse(settings.DATABASE_OWNER_URL)
            connection.settings_dict.update({name: owner[name] for name in ("USER", "PASSWORD", "HOST", "PORT")})
        super().handle(*args, **options)
        if not options.get("app_label"):  # the permissions of all models are there
            roles.sync_roles()
