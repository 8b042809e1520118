"""Members: found by what they show, read with contacts masked, enrolled and changed by the verbs that all doors use."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Protocol, cast
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import Prefetch, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display

from loyalty import auditing, queries, totals
from loyalty.backoffice import Backoffice, ReadOnlyInline
from loyalty.columns import figure, instant, last_day
from loyalty.filters import Between
from members import cards, contacts, finding, revealing, wording
from members.admin.adjusting import ADD, Adjusting
from members.admin.forms import ChangeForm, EnrolForm, birthday_of
from members.admin.uploads import Importing
from members.models import Card, Consent, Member, TierMembership
from members.queries import as_table

Status = Member.Status
STATUS_LOOKS: Any = {Status.ACTIVE: "success", Status.BLOCKED: "danger", Status.CLOSED: "default"}
PERSONAL = ("given_name", "family_name", "email", "phone", "new_email", "new_phone", "birthday", "external_id")


class House(Protocol):
    """What a member's page asks of the rooms above; the site answers (config.adminsite)."""

    def members_of_receipt(self, text: str) -> set[UUID]:
        """Whose receipt bears this number."""

    def points_of(self, member: Member) -> dict[str, Any]:
        """Balance, lots and last lines of the member, for the page."""


class Active(admin.SimpleListFilter):
    title = _("points moved")
    parameter_name = "active"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("30", _("in 30 days")), ("90", _("in 90 days"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        days = self.value()
        if days not in {"30", "90"}:
            return queryset
        return queryset.filter(holder__in=totals.active_holders(since=timezone.now() - timedelta(days=int(days))))


class CardInline(ReadOnlyInline):
    model = Card
    fields = ("grouped", "issued_at")
    readonly_fields = ("grouped",)

    @admin.display(description=_("number"))
    def grouped(self, card: Card) -> str:
        return cards.grouped(card.number)


class ConsentInline(ReadOnlyInline):
    model = Consent
    fields = ("at", "channel", "purpose", "granted")


class TierInline(ReadOnlyInline):
    """The history of a member's tiers, newest first."""

    model = TierMembership
    fields = ("named", "from_when", "to_when", "valid", "reason")
    verbose_name_plural = _("Tiers")
    readonly_fields = ("named", "from_when", "to_when", "valid")
    from_when = instant("since", _("since"))
    to_when = instant("ended_at", _("ended"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[TierMembership]:
        rows: QuerySet[TierMembership] = super().get_queryset(request).select_related("table").prefetch_related("table__tiers")
        return rows

    @admin.display(description=_("tier"))
    def named(self, row: TierMembership) -> str:
        level = as_table(row.table, row.table.tiers.all()).level(row.tier)
        return wording.called(level) if level else row.tier or "–"

    @admin.display(description=_("last day"))
    def valid(self, row: TierMembership) -> str:
        return last_day(row.until)


@admin.register(Member)
class MemberAdmin(Adjusting, Importing, Backoffice):
    scope = "home_store"
    private = PERSONAL
    list_display = ("name", "contact", "card", "points", "home_store", "standing", "joined")
    list_filter = ("status", ("home_store", AutocompleteSelectFilter), "language", ("joined_at", Between), Active)
    list_select_related = ("home_store",)
    date_hierarchy = "joined_at"
    ordering = ("-joined_at",)
    search_fields = ("given_name", "family_name")
    search_help_text = _("Name, card, e-mail, phone or receipt number")
    autocomplete_fields = ("home_store",)
    export_columns = (
        "id", "external_id", "given_name", "family_name", "masked_email", "masked_phone", "card", "balance", "language",
        "home_store__code", "status", "joined_at",
    )  # fmt: skip
    readonly_fields = ("masked_email", "masked_phone", "status", "joined_at", "born")
    find_address = "admin:members_member_find"
    change_form_template = "admin/members/member/change_form.html"
    points = figure("balance", _("balance"))
    joined = instant("joined_at", _("joined"))

    @property
    def above(self) -> House:
        return cast("House", self.admin_site)

    def get_form(self, request: HttpRequest, obj: Member | None = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change=change, form=ChangeForm if change else EnrolForm, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Whoever may only look gets no field that holds a contact."""
        if obj is None:
            person = ("given_name", "family_name", "email", "phone", "birthday", "language", "home_store", "external_id")
            return [(None, {"fields": person})]
        writes = self.has_change_permission(request, obj)
        birthday = "birthday" if writes and obj.birth_month is None else "born"
        contact = ("masked_email", "new_email", "masked_phone", "new_phone") if writes else ("masked_email", "masked_phone")
        return [
            (_("Person"), {"fields": ("given_name", "family_name", birthday, "language", "home_store", "external_id")}),
            (_("Contact"), {"fields": contact}),
            (_("Membership"), {"fields": ("status", "joined_at")}),
        ]

    def get_inlines(self, request: HttpRequest, obj: Member | None) -> list[Any]:
        return [TierInline, CardInline, ConsentInline] if obj else []

    def get_queryset(self, request: HttpRequest) -> QuerySet[Member]:
        newest = Card.objects.order_by("-issued_at", "-id")
        rows: QuerySet[Member] = super().get_queryset(request).prefetch_related(Prefetch("cards", newest))
        return rows

    def prepare(self, rows: Sequence[Member]) -> None:
        balances = queries.net_balances([member.holder for member in rows])
        for member in rows:
            member.balance = balances[member.holder]  # type: ignore[attr-defined]

    def exact(self, text: str) -> set[UUID]:
        """Members whom this names: by a card, a contact, a number, a receipt."""
        return finding.identified(text) | self.above.members_of_receipt(text)

    def find_view(self, request: HttpRequest) -> HttpResponse:
        """The search box posts, so that no contact stands in an address, a browser's history or a log."""
        if request.method != "POST" or not self.has_view_permission(request):
            raise Http404
        typed = request.POST.get("q", "").strip()
        known = [str(one) for one in self.get_queryset(request).filter(pk__in=self.exact(typed)).values_list("pk", flat=True)]
        if len(known) == 1:
            return redirect("admin:members_member_change", known[0])
        if not known and finding.is_contact(typed):
            messages.info(request, _("Nobody here is known by this e-mail address or phone number."))
            typed = ""
        asked = {"id__in": ",".join(known)} if known else {"q": typed} if typed else {}
        return redirect(f"{reverse('admin:members_member_changelist')}?{urlencode(asked)}")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Member], search_term: str
    ) -> tuple[QuerySet[Member], bool]:
        """What names a member exactly wins over names that hold the same words."""
        if not search_term:
            return queryset, False
        exact = self.exact(search_term)
        return (queryset.filter(pk__in=exact) if exact else finding.named(queryset, search_term)), False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """The form's verb has written."""

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        member = self.get_object(request, object_id)
        if member is None or not self.has_view_or_change_permission(request, member):
            raise Http404
        person = {
            "name": self.name(member), "status": member.get_status_display(), "look": STATUS_LOOKS[Status(member.status)],
            "card": self.card(member), "contact": self.contact(member),
        }  # fmt: skip
        context = self.above.points_of(member) | {"person": person, "may_reveal": request.user.has_perm(revealing.PERMISSION)}
        context |= {"may_adjust": request.user.has_perm(ADD)}
        response: HttpResponse = super().change_view(request, object_id, form_url, context | (extra_context or {}))
        return response

    def get_urls(self) -> list[URLPattern]:
        contact = path("<uuid:member>/contact/", self.admin_site.admin_view(self.contact_view), name="members_member_contact")
        find = path("find/", self.admin_site.admin_view(self.find_view), name="members_member_find")
        return [find, contact, *self.adjust_urls(), *super().get_urls()]

    def contact_view(self, request: HttpRequest, member: UUID) -> HttpResponse:
        """The whole contact, shown once for each POST and written down."""
        found = self.get_queryset(request).filter(pk=member).first()
        if found is None or request.method != "POST" or not request.user.has_perm(revealing.PERMISSION):
            raise Http404
        shown = revealing.reveal(found.pk, actor=auditing.actor_of(request), now=timezone.now())
        context = self.admin_site.each_context(request) | {
            "title": str(found),
            "opts": self.opts,
            "member": found,
            "shown": shown,
        }
        return TemplateResponse(request, "admin/members/member/contact.html", context)

    @admin.display(description=_("name"), ordering="family_name")
    def name(self, member: Member) -> str:
        return f"{member.given_name} {member.family_name}".strip() or str(_("Member"))

    @admin.display(description=_("contact"))
    def contact(self, member: Member) -> str:
        return contacts.masked_email(member.email) or contacts.masked_phone(member.phone) or self.get_empty_value_display()

    @admin.display(description=_("e-mail"))
    def masked_email(self, member: Member) -> str:
        return contacts.masked_email(member.email)

    @admin.display(description=_("phone"))
    def masked_phone(self, member: Member) -> str:
        return contacts.masked_phone(member.phone)

    @admin.display(description=_("card"))
    def card(self, member: Member) -> str:
        newest = next(iter(member.cards.all()), None)
        return cards.grouped(newest.number) if newest else ""

    @admin.display(description=_("balance"))
    def balance(self, member: Member) -> int:
        return member.balance  # type: ignore[attr-defined,no-any-return]

    @display(description=_("status"), ordering="status", label=STATUS_LOOKS)
    def standing(self, member: Member) -> Any:
        return member.status, member.get_status_display()

    @admin.display(description=_("birthday"))
    def born(self, member: Member) -> str:
        return birthday_of(member)
