"""One box sends its mail to a folder; who may see sign-in codes (owners alone) reads it here."""

from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from django.conf import settings
from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.csp import csp_override

from members.access import for_staff

SHOWN = 100


@csp_override(settings.ADMIN_CSP)
@for_staff("members.view_codeattempt")
def mailbox(request: HttpRequest) -> HttpResponse:
    if not settings.MAIL_DIR:
        raise Http404
    files = sorted(Path(settings.MAIL_DIR).glob("*.log"), key=lambda file: file.stat().st_mtime_ns, reverse=True)
    mails = [{"name": file.name, "mail": _read(file)} for file in files[:SHOWN]]
    return render(
        request, "admin/mailbox.html", admin.site.each_context(request) | {"title": _("Mail of this box"), "mails": mails}
    )


@csp_override(settings.ADMIN_CSP)
@for_staff("members.view_codeattempt")
def mail(request: HttpRequest, name: str) -> HttpResponse:
    if not settings.MAIL_DIR or name not in {file.name for file in Path(settings.MAIL_DIR).glob("*.log")}:
        raise Http404
    message = _read(Path(settings.MAIL_DIR) / name)
    part = message.get_body(("plain",))
    context = {"title": message["subject"], "mail": message, "text": part.get_content() if part else ""}
    return render(request, "admin/mail.html", admin.site.each_context(request) | context)


def _read(file: Path) -> EmailMessage:
    return message_from_bytes(file.read_bytes(), policy=policy.default)
