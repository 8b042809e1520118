"""Where staff set the PIN that they type at a till: their own, and managers those of their cashiers."""

from django.conf import settings
from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csp import csp_override
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminSelectWidget

from config.pages.till.forms import SetPinForm
from loyalty import auditing
from loyalty.problems import Problem
from members import pins
from members.access import for_staff
from members.models import StaffProfile


@csp_override(settings.ADMIN_CSP)
@for_staff("members.change_pin")
def set_pin(request: HttpRequest) -> HttpResponse:
    form, people = _form(request)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            pins.put(people[given["staff"]], given["pin"], by=auditing.actor_of(request), now=timezone.now())
        except Problem as problem:
            form.add_error("pin", problem.detail)
        else:
            messages.success(request, _("The PIN of %(name)s is set.") % {"name": people[given["staff"]].name})
            return redirect("till_pin")
    context = admin.site.each_context(request) | {"title": _("PIN for the till"), "form": form}
    return render(request, "admin/till_pin.html", context)


def _form(request: HttpRequest) -> tuple[SetPinForm, dict[int, StaffProfile]]:
    """With the colleagues whose PIN this person may set, their own first."""
    mine = StaffProfile.objects.filter(user=request.user.pk).first()
    if mine is None:
        raise Http404
    people = {one.pk: one for one in sorted(pins.may_set_for(mine), key=lambda one: one.pk != mine.pk)}
    form = SetPinForm(request.POST or None)
    form.fields["staff"].widget = UnfoldAdminSelectWidget()
    for name in ("pin", "again"):
        form.fields[name].widget = UnfoldAdminPasswordWidget({"inputmode": "numeric", "autocomplete": "off"})
    form.fields["staff"].choices = [(one.pk, one.name) for one in people.values()]  # type: ignore[attr-defined]
    return form, people
