"""Forms that hand what staff typed to the verb by which members come and change; what it refuses stands at its field."""

from collections.abc import Callable
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from pydantic import ValidationError
from unfold.widgets import UnfoldAdminTextInputWidget

from loyalty.problems import Fault, Problem, problem_of
from members import contacts
from members.changing import change
from members.enrolling import enrol
from members.models import Member
from members.schemas import Birthday, MemberIn, MemberPatch

BIRTHDAY_HELP = _("As 1990-03-31, or --03-31 without the year. It can be given once.")
# By what a member is known, and how it is spelt.
IDENTITIES: dict[str, Callable[[str], str]] = {"email": contacts.email, "phone": contacts.phone, "external_id": str.strip}
KNOWN = {
    "email": _("A member has this e-mail address already."),
    "phone": _("A member has this phone number already."),
    "external_id": _("A member has this number already."),
}


def text_field(label: Any, length: int, **given: Any) -> forms.CharField:
    attributes = given.pop("attrs", {}) | {"autocomplete": "off"}
    return forms.CharField(
        label=capfirst(label), max_length=length, required=False, widget=UnfoldAdminTextInputWidget(attributes), **given
    )


class MemberForm(forms.ModelForm[Member]):
    """The verb judges and writes in one step, so nothing can change between the check and the act."""

    # Fields of the form that are called otherwise by the verb.
    called: ClassVar[dict[str, str]] = {}

    def act(self, given: dict[str, Any]) -> Member:
        """Carry out the act. Raises Problem or pydantic's ValidationError."""
        raise NotImplementedError

    def given(self) -> dict[str, Any]:
        """What was typed, in the words of the schema."""
        typed = {self.called.get(name, name): value for name, value in self.cleaned_data.items() if name in self.changed_data}
        if "home_store" in typed:
            typed["home_store"] = typed["home_store"].code if typed["home_store"] else None
        return {
            name: None if value == "" and name in {"external_id", "birthday", "email", "phone"} else value
            for name, value in typed.items()
        }

    def _post_clean(self) -> None:
        """Where a model form would judge and fill its instance."""
        if self.errors:
            return
        try:
            self.instance = self.act(self.given())
        except ValidationError as error:
            self._refuse(problem_of(error))
        except Problem as problem:
            self._refuse(problem)

    def _refuse(self, problem: Problem) -> None:
        names = {schema: name for name, schema in self.called.items()}
        for fault in problem.faults:
            name = fault.pointer.strip("/").partition("/")[0]
            name = names.get(name, name)
            self.add_error(name if name in self.fields else None, fault.detail)
        if not problem.faults:
            self.add_error(*self._place(problem))

    def _place(self, problem: Problem) -> tuple[str | None, Any]:
        """The field at which a problem stands that names none: the one by which somebody is known already."""
        typed = {name: value for name, value in self.given().items() if name in IDENTITIES and value}
        if known := Member.objects.filter(pk=str(problem.extra.get("member", UUID(int=0)))).first():
            typed = {name: value for name, value in typed.items() if IDENTITIES[name](value) == getattr(known, name)}
        if problem.slug != "duplicate-document" or len(typed) != 1:
            return None, problem.detail
        [name] = typed
        return next((mine for mine, its in self.called.items() if its == name), name), KNOWN[name]

    def save(self, commit: bool = True) -> Member:
        """The verb has written already."""
        return self.instance

    def save_m2m(self) -> None:
        """Nothing is left to write."""


class EnrolForm(MemberForm):
    email = text_field(_("e-mail"), 254, attrs={"inputmode": "email"})
    phone = text_field(
        _("phone"), 40, attrs={"inputmode": "tel"}, help_text=_("With the country's number if it is another country's.")
    )
    birthday = text_field(_("birthday"), 10, help_text=BIRTHDAY_HELP)

    class Meta:
        model = Member
        fields = ("given_name", "family_name", "language", "home_store", "external_id")

    def given(self) -> dict[str, Any]:
        store = self.cleaned_data["home_store"]
        return super().given() | {"language": self.cleaned_data["language"], "home_store": store.code if store else None}

    def act(self, given: dict[str, Any]) -> Member:
        if not given.get("email") and not given.get("phone"):
            detail = _("Give an e-mail address or a phone number.")
            raise Problem("validation", str(detail), faults=[Fault("/email", str(detail))])
        [answer] = enrol([MemberIn(**given)], now=timezone.now())
        if isinstance(answer, Problem):
            raise answer
        return Member.objects.get(pk=answer.member)


class ChangeForm(MemberForm):
    """Contacts are not shown; a new one takes the place of what is known, and is unverified until a code proves it."""

    called: ClassVar = {"new_email": "email", "new_phone": "phone"}
    new_email = text_field(_("new e-mail"), 254, attrs={"inputmode": "email"})
    new_phone = text_field(_("new phone"), 40, attrs={"inputmode": "tel"})
    birthday = text_field(_("birthday"), 10, help_text=BIRTHDAY_HELP)

    class Meta:
        model = Member
        fields = ("given_name", "family_name", "language", "home_store", "external_id")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        keep = _("Now %(masked)s. Leave empty to keep it.")
        masked = {
            "new_email": contacts.masked_email(self.instance.email),
            "new_phone": contacts.masked_phone(self.instance.phone),
        }
        for name in masked.keys() & self.fields.keys():
            self.fields[name].help_text = keep % {"masked": masked[name]} if masked[name] else ""

    def act(self, given: dict[str, Any]) -> Member:
        change(self.instance.pk, MemberPatch(**given), now=timezone.now(), trusted=False)
        return Member.objects.get(pk=self.instance.pk)


def birthday_of(member: Member) -> str:
    if member.birth_month is None or member.birth_day is None:
        return ""
    return str(Birthday(member.birth_year, member.birth_month, member.birth_day))
