from django.apps import AppConfig
from django.contrib.admin import apps as admin
from django.core.checks import Tags, register
from django.utils.translation import gettext_lazy as _

from config import checks


class ConfigConfig(AppConfig):
    name = "config"
    verbose_name = _("System")
    default = True

    def ready(self) -> None:
        register(checks.application_role_cannot_change_the_ledger, Tags.database)
        register(checks.programme_is_reachable_safely, Tags.security, deploy=True)


class RegularsAdminConfig(admin.AdminConfig):
    default = False
    default_site = "config.adminsite.RegularsAdminSite"
