"""Pages of drafts that members will live by: changed in a form, judged beneath it, then approved and published by a button.

A class names the kind of document (loyalty/publication.py); each button asks once more, showing what it would do.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSingleDateWidget

from loyalty import auditing, notice, terms
from loyalty.admin.writing import VerbForm, Written
from loyalty.columns import moment, since
from loyalty.house import Standing
from loyalty.notice import Approval, Review
from loyalty.problems import Problem
from loyalty.publication import Publication
from loyalty.versions import Publishable

# The hidden field of a form with what its draft said.
SEEN = "seen"
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2190, 1, 1)


@dataclass(frozen=True, slots=True)
class Button:
    """An act on a draft: what its button says, what it will do, and what is said when it is done."""

    label: str | Promise
    effect: str | Promise
    done: str | Promise
    right: str
    variant: str = "default"


BUTTONS: Mapping[str, Button] = {
    "ask": Button(
        _("Ask for approval"), _("A second owner or somebody from finance is asked to look at exactly this change."),
        _("Waits for a second person."), "change", "primary",
    ),
    "approve": Button(
        _("Approve this change"), _("You confirm exactly this change. It holds once it is published by somebody else."),
        _("Approved."), "approve", "primary",
    ),
    "refuse": Button(
        _("Refuse this change"), _("It cannot be published as it is. Whoever drafted it may change it and ask again."),
        _("Refused."), "approve", "danger",
    ),
    "publish": Button(
        _("Publish this change"), _("It is frozen for good and starts on its day. Members are told if it is worse for them."),
        _("Published."), "change", "primary",
    ),
    "discard": Button(
        _("Delete this draft"), _("The draft is deleted. What is published stays as it is."), _("Deleted."), "change", "danger",
    ),
}  # fmt: skip


WORDS = {
    "draft": _("draft"), "scheduled": _("announced"), "in_force": _("in force"), "past": _("replaced"),
    "replaced": _("replaced before its start"), "ended": _("ended"),
}  # fmt: skip
LOOKS: Any = {
    "draft": "warning",
    "scheduled": "info",
    "in_force": "success",
    "past": "default",
    "replaced": "default",
    "ended": "default",
}


class DraftForm(VerbForm):
    """What a draft says, and its start."""

    publication: ClassVar[Publication[Any, Any]]
    named: ClassVar[dict[str, str]] = {"starts_at": "starts_on"}

    starts_on = forms.DateField(
        label=capfirst(_("starts on")), required=False, widget=UnfoldAdminSingleDateWidget,
        validators=[MinValueValidator(FIRST_DAY), MaxValueValidator(LAST_DAY)],
        help_text=_(
            "From this day on, never before. Leave it empty to start as soon as it may: at once, or, if it is worse for members, "
            "when the days of notice are over."
        ),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.is_new = kwargs.get("instance") is None
        if self.instance.starts_at and not self.is_new:
            self.initial["starts_on"] = terms.current(timezone.now()).day_of(self.instance.starts_at)

    def seen(self) -> str | None:
        """What the draft said when the form that was sent was opened: another tab may have changed it since."""
        said: str | None = self.data.get(SEEN)
        return said

    def opened(self) -> str:
        """What the page hides in the form; one that was refused stays the form that was opened."""
        return "" if self.is_new else self.seen() or self.publication.content(self.instance)

    def starts_at(self) -> datetime | None:
        """Midnight of the day in the programme's zone; a start that nobody touched stays to the second."""
        if "starts_on" not in self.changed_data:
            return None if self.is_new else self.instance.starts_at
        day = self.cleaned_data["starts_on"]
        return terms.current(timezone.now()).midnight_after(day - timedelta(days=1)) if day else None

    def clean_starts_on(self) -> date | None:
        day: date | None = self.cleaned_data["starts_on"]
        start = self.starts_at()
        if start and start < timezone.now():
            raise forms.ValidationError(_("The start lies in the past. Leave it out to start as soon as possible."))
        return day


class Reviewing(Written):
    """A list of versions. A draft has its comparison and its buttons; what is published is only looked at."""

    publication: ClassVar[Publication[Any, Any]]
    buttons: ClassVar[Mapping[str, Button]] = BUTTONS
    change_form_template = "admin/reviewing/change_form.html"
    form = DraftForm

    @display(description=_("state"), label=LOOKS)
    def condition(self, version: Any) -> Any:
        return version.state, WORDS[version.state]

    @admin.display(description=_("state"))
    def stands(self, version: Any) -> str:
        """The same on the version's own page."""
        self.prepare([version])
        return str(WORDS[version.state])

    @admin.display(description=_("starts"), ordering="starts_at")
    def starts(self, version: Any) -> str | None:
        """The first version governs all that lies before it."""
        return since(version.starts_at) or str(_("as soon as it may"))

    @admin.display(description=_("published"), ordering="published_at")
    def published(self, version: Any) -> str | None:
        return since(version.published_at)

    @admin.display(description=_("drafted by"))
    def drafter(self, version: Publishable) -> str:
        return self._who(version.drafted_by)

    @admin.display(description=_("approved by"))
    def approver(self, version: Publishable) -> str:
        return self._who(version.approved_by)

    @admin.display(description=_("published by"))
    def publisher(self, version: Publishable) -> str:
        return self._who(version.published_by)

    def _who(self, actor: UUID | None) -> str:
        return self.house.staff([actor]).get(actor, "") if actor else ""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and self._is_of_programme(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if obj is not None and (obj.published_at is not None or not self.is_theirs(request, obj)):
            return False
        return super().has_change_permission(request, obj) and self._is_of_programme(request)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        form.publication = self.publication
        return form

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """Straight to the comparison."""
        messages.success(request, _("Draft saved. Look below at what it changes."))
        return redirect(self._address(obj))

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        messages.success(request, _("Draft saved. Look below at what it changes."))
        return redirect(self._address(obj))

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        obj = self.get_object(request, object_id) if object_id else None
        shown = self.shown(request, obj) if obj and obj.published_at is None else {}
        plain = {"show_save_and_continue": False, "show_save_and_add_another": False}
        response: HttpResponse = super().changeform_view(request, object_id, form_url, plain | shown | (extra_context or {}))
        return response

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_act"
        act = path("<path:object_id>/act/<slug:act>/", self.admin_site.admin_view(self.act_view), name=name)
        return [act, *super().get_urls()]

    def act_view(self, request: HttpRequest, object_id: str, act: str) -> HttpResponse:
        """One of the buttons: asked once more, then carried out if the draft is still what was looked at."""
        obj, button = self.get_object(request, object_id), self.buttons.get(act)
        if obj is None or button is None:
            raise Http404
        if request.method != "POST":
            return redirect(self._address(obj))
        if not self._may(request, button, obj):
            raise PermissionDenied
        return (self._carried_out if "confirmed" in request.POST else self._asked)(request, obj, act, button)

    def shown(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        """What a draft's page says beside the form: the comparison, what it asks for, and the buttons that make sense now."""
        now = timezone.now()
        try:
            review = self.publication.review(self._key(obj), now=now)
        except Problem as problem:
            return {"overtaken": problem.detail, "buttons": self._buttons(request, ["discard"], obj)}
        standing, early = self.house.approval_of(self.publication.verb, review), ""
        try:
            notice.insist_on_time(review, now=now)
        except Problem as problem:
            early = problem.detail
        acts = ["discard"] if early or not review.lines else _acts(review, standing, auditing.actor_of(request))
        who = (standing.asked_by, standing.approved_by, standing.refused_by) if standing else ()
        names = self.house.staff([one for one in who if one])
        return {
            "review": review, "standing": standing, "early": early, "buttons": self._buttons(request, acts, obj),
            "affected": notice.holders_with_points() if review.notice.detriment else 0,
            "starts": moment(review.notice.starts_at), "first": moment(review.notice.first), "asked": bool(obj.starts_at),
            "asked_by": standing and names.get(standing.asked_by, ""), "asked_at": standing and moment(standing.asked_at),
            "approved_by": standing and standing.approved_by and names.get(standing.approved_by, ""),
            "refused_by": standing and standing.refused_by and names.get(standing.refused_by, ""),
        }  # fmt: skip

    def _asked(self, request: HttpRequest, obj: Any, act: str, button: Button) -> HttpResponse:
        try:
            self._insist(obj, act, auditing.actor_of(request))
        except Problem as problem:
            messages.error(request, problem.detail)
            return redirect(self._address(obj))
        context = self.admin_site.each_context(request) | self.shown(request, obj)
        context |= {"opts": self.opts, "original": obj, "act": act, "button": button, "title": button.label}
        return TemplateResponse(request, "admin/reviewing/confirm.html", context)

    def _carried_out(self, request: HttpRequest, obj: Any, act: str, button: Button) -> HttpResponse:
        done = button.done
        try:
            if not self._do(request, obj, act):
                done = _("This changes nothing, so there is nothing to publish.")
        except Problem as problem:
            messages.error(request, problem.detail)
        else:
            messages.success(request, str(done))
        return redirect(
            reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist") if act == "discard" else self._address(obj)
        )

    def _insist(self, obj: Any, act: str, actor: UUID) -> None:
        """Raises Problem when the act would be refused whatever is confirmed, as from a page that is out of date."""
        if act == "discard" and obj.published_at is None:
            return
        now = timezone.now()
        review = self.publication.review(self._key(obj), now=now)
        standing = self.house.approval_of(self.publication.verb, review)
        if act in ("ask", "publish"):
            notice.insist_on_time(review, now=now)
        elif standing is None or standing.approved_by or standing.refused_by:
            raise _changed()
        if act == "publish":
            notice.insist_on_second(review, _approval(standing, review), publisher=actor)

    def _do(self, request: HttpRequest, obj: Any, act: str) -> bool:
        """Carry out the act; False when there was nothing to do. Raises Problem."""
        now, actor = timezone.now(), auditing.actor_of(request)
        if act == "discard":
            self.publication.discard(self._key(obj), actor=actor)
            return True
        review = self.publication.review(self._key(obj), now=now)
        if request.POST.get("fingerprint") != review.fingerprint:
            raise _changed()
        if act == "publish":
            approval = _approval(self.house.approval_of(self.publication.verb, review), review)
            return self.publication.publish(self._key(obj), actor=actor, approval=approval, now=now).published
        if act == "ask":
            notice.insist_on_time(review, now=now)
            self.house.ask_approval(self.publication.verb, review, by=actor, now=now)
        else:
            self.house.decide(self.publication.verb, review, approved=act == "approve", by=actor, now=now)
        return True

    def is_theirs(self, request: HttpRequest, obj: Any) -> bool:
        """Whether whoever may write drafts at all may write this one."""
        return True

    def _may(self, request: HttpRequest, button: Button, obj: Any) -> bool:
        right = f"{self.opts.app_label}.{button.right}_{self.opts.model_name}"
        theirs = button.right != "change" or self.is_theirs(request, obj)
        return request.user.has_perm(right) and theirs and self._is_of_programme(request)

    def _is_of_programme(self, request: HttpRequest) -> bool:
        """Rules hold in every store: staff bound to some do not touch them."""
        return self.house.stores_of(request) is None

    def _buttons(self, request: HttpRequest, acts: list[str], obj: Any) -> list[tuple[str, Button]]:
        return [(act, self.buttons[act]) for act in acts if self._may(request, self.buttons[act], obj)]

    def _key(self, obj: Any) -> Any:
        """What the verbs know a draft by."""
        return getattr(obj, self.publication.known_by)

    def _address(self, obj: Any) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[obj.pk])


def _changed() -> Problem:
    return Problem("not-eligible", str(_("This has changed or was decided meanwhile. Look at it again.")), status=409)


def _approval(standing: Standing | None, review: Review) -> Approval | None:
    by = standing.approved_by if standing else None
    return Approval(by, review.fingerprint) if by else None


def _acts(review: Review, standing: Standing | None, actor: UUID) -> list[str]:
    """What `actor` can do with a draft that may be published: nobody approves their own, or publishes what they approved."""
    if not review.needs_second:
        return ["publish", "discard"]
    if standing is None or standing.refused_by:
        return ["ask", "discard"]
    if standing.approved_by:
        return ["discard"] if standing.approved_by == actor else ["publish", "discard"]
    if actor in standing.own:
        return ["discard"]
    return ["refuse", "discard"] if standing.hopeless else ["approve", "refuse", "discard"]
