"""The admin site: Unfold's look, under a policy of its own, behind the sign-in that the rest of the product uses.

It stands above all rooms, so what a room's pages need of another room they ask of it (loyalty.house).
"""

import functools
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csp import csp_override
from unfold.dataclasses import SearchResult
from unfold.sites import UnfoldAdminSite

from campaigns import explaining, telling
from campaigns.goods import GOODS
from campaigns.publishing import RULES
from campaigns.queries import awards_by_entry, entries_of_receipt, of_receipt, paid_by_entry, returns_by_entry
from config.pages import dossier
from loyalty import terms
from loyalty.backoffice import Backoffice
from loyalty.house import Standing
from loyalty.limits import Limits
from loyalty.notice import Review
from loyalty.publication import Publication
from loyalty.publishing import TERMS
from members import approving, finding, limiting, staffing
from members.access import stores_of
from members.models import Member
from members.publishing import TIERS
from members.queries import by_holder

SEARCHED = ("members.member", "campaigns.purchase", "loyalty.store")
HITS = 8
PUBLISHED: tuple[Publication[Any, Any], ...] = (TERMS, RULES, TIERS, GOODS)


class RegularsAdminSite(UnfoldAdminSite):
    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Pages speak the time of the programme's zone, down to their last template."""
        inner = super().admin_view(view, cacheable)

        @functools.wraps(inner)
        def in_zone(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            with timezone.override(terms.current(timezone.now()).zone):
                response: HttpResponse = inner(request, *args, **kwargs)
                return response.render() if isinstance(response, TemplateResponse) else response

        guarded: Any = csp_override(settings.ADMIN_CSP)(in_zone)
        guarded.access = "admin"
        return guarded

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Our own pages alone: those that libraries bring show logins and secrets, and know nothing of stores."""
        if admin_class is not None and issubclass(admin_class, Backoffice):
            super().register(model_or_iterable, admin_class, **options)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """No second password form: whoever is not signed in goes to the sign-in of staff."""
        if request.user.is_authenticated:
            raise PermissionDenied
        return redirect_to_login(request.GET.get("next") or reverse("admin:index"), reverse("account_login"))

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The palette. Unlike the theme's it reads a few rows of each list, and keeps none in the cache."""
        term = request.POST.get("s", "").strip()
        if not term:
            return HttpResponse()
        apps = self.get_app_list(request)
        results = [*self._search_apps(apps, term.lower()), *self._hits(request, apps, term)]
        return TemplateResponse(
            request, "unfold/helpers/command_results.html", {"results": results}, headers={"HX-Trigger": "search"}
        )

    def _hits(self, request: HttpRequest, apps: list[Any], term: str) -> Iterator[SearchResult]:
        """The first rows that each searched list finds, as far as this person may see the list."""
        for model in (model for app in apps for model in app["models"] if model["model"]._meta.label_lower in SEARCHED):
            page, kind = self.get_model_admin(model["model"]), str(model["name"])
            found, _again = page.get_search_results(request, page.get_queryset(request), term)
            for one in found[:HITS]:
                link = f"{model['admin_url']}{one.pk}/change/"
                yield SearchResult(title=str(one), description=kind, icon="arrow_forward", link=link)

    def stores_of(self, request: HttpRequest) -> Collection[int] | None:
        if not hasattr(request, "bound_to"):
            request.bound_to = stores_of(request.user)  # type: ignore[attr-defined]
        return request.bound_to  # type: ignore[attr-defined,no-any-return]

    def members(self, holders: Iterable[UUID]) -> dict[UUID, tuple[str, str]]:
        return {
            one.holder: (reverse("admin:members_member_change", args=[one.pk]), str(one)) for one in by_holder(holders).values()
        }

    def staff(self, actors: Iterable[UUID]) -> dict[UUID, str]:
        return staffing.names(actors)

    def holders_of(self, text: str) -> set[UUID]:
        return set(Member.objects.filter(pk__in=finding.identified(text)).values_list("holder", flat=True))

    def entries_of(self, text: str) -> set[UUID]:
        return entries_of_receipt(text)

    def cause_of(self, entry: UUID) -> tuple[str, str] | None:
        if award := awards_by_entry([entry]).get(entry):
            said = explaining.award_sentence(str(award.rule_version_id), award.cause.trace, award.currency)
            return dossier.page_of(award.cause), f"{award.rule_version.rule.name}: {said}"
        if returned := returns_by_entry([entry]).get(entry):
            return dossier.page_of(returned), telling.sentences(returned)[0]
        if paid := paid_by_entry([entry]).get(entry):
            return dossier.page_of(paid), telling.payment_sentence(paid)
        return None

    def members_of_receipt(self, text: str) -> set[UUID]:
        return {one.member_id for one in of_receipt(text)}

    def points_of(self, member: Member) -> dict[str, Any]:
        return dossier.points_of(member)

    def approval_of(self, verb: str, review: Review) -> Standing | None:
        asked = approving.request_of(approving.act_on(verb, review))
        if asked is None:
            return None
        by = {"refused_by" if asked.decision == approving.Decision.REFUSED else "approved_by": asked.decided_by}
        behind = (asked.requested_by, review.drafted_by)
        own, hopeless = frozenset(approving.people_behind(*behind)), approving.is_hopeless(*behind)
        return Standing(asked.requested_by, asked.requested_at, own, hopeless, **by)

    def ask_approval(self, verb: str, review: Review, *, by: UUID, now: datetime) -> None:
        approving.ask(approving.act_on(verb, review), by=by, now=now)

    def decide(self, verb: str, review: Review, *, approved: bool, by: UUID, now: datetime) -> None:
        decision = approving.Decision.APPROVED if approved else approving.Decision.REFUSED
        approving.decide(approving.act_on(verb, review), decision, by=by, author=review.drafted_by, now=now)

    def called(self, verb: str, ids: Collection[str]) -> dict[str, str]:
        return next((each.called(ids) for each in PUBLISHED if each.verb == verb), {})

    def propose_limits(self, given: Limits, *, by: UUID, now: datetime) -> tuple[int, bool]:
        return limiting.propose(given, by=by, now=now)
