"""Colleagues: one page makes a login, a role and its stores at once; another changes them."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.password_validation import validate_password
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminEmailInputWidget, UnfoldAdminPasswordWidget, UnfoldAdminSelectWidget

from loyalty.backoffice import Backoffice, Scope
from loyalty.columns import instant
from loyalty.problems import Problem
from members import staffing
from members.models import StaffProfile, User


class AppointForm(forms.ModelForm[StaffProfile]):
    email = forms.EmailField(
        label=capfirst(_("e-mail")), widget=UnfoldAdminEmailInputWidget, help_text=_("With which they sign in.")
    )
    # Nothing is chosen beforehand, least of all the owner.
    role = forms.ChoiceField(
        label=capfirst(_("role")), choices=[("", _("Choose a role")), *StaffProfile.Role.choices], widget=UnfoldAdminSelectWidget
    )
    password = forms.CharField(
        label=capfirst(_("password")), strip=False, widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text=_("At least 12 characters. Hand it over in person."),
    )  # fmt: skip

    class Meta:
        model = StaffProfile
        fields = ("name", "role", "stores")

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        validate_password(password)
        return password

    def _post_clean(self) -> None:
        """The verb judges and writes in one step."""
        if self.errors:
            return
        given = self.cleaned_data
        try:
            self.instance = staffing.appoint(
                given["email"], role=given["role"], name=given["name"], stores=[store.pk for store in given["stores"]],
                password=given["password"],
            )  # fmt: skip
        except Problem as problem:
            self.add_error("email", problem.detail)

    def save(self, commit: bool = True) -> StaffProfile:
        return self.instance

    def save_m2m(self) -> None:
        """Nothing is left to write."""


@admin.register(StaffProfile)
class StaffAdmin(Backoffice):
    scope = Scope.HEAD_OFFICE
    private = ("name", "email", "password")
    list_display = ("name", "email", "job", "works_in", "active", "since", "last_seen")
    list_filter = ("role", "stores", "user__is_active")
    list_select_related = ("user",)
    ordering = ("name",)
    search_fields = ("name", "user__email")
    search_help_text = _("Name or e-mail")
    autocomplete_fields = ("stores",)
    export_columns = ("name", "email", "role", "user__is_active")
    readonly_fields = ("login",)
    since = instant("user__date_joined", _("since"))
    last_seen = instant("user__last_login", _("last sign-in"))

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        fields = ("login", "name", "role", "stores") if obj else ("email", "name", "role", "stores", "password")
        return [(None, {"fields": fields})]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change=change, **kwargs | ({} if change else {"form": AppointForm}))

    def get_queryset(self, request: HttpRequest) -> QuerySet[StaffProfile]:
        rows: QuerySet[StaffProfile] = super().get_queryset(request).prefetch_related("stores")
        return rows

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """A role is nothing without its permissions."""
        super().save_related(request, form, formsets, change)
        if change:
            profile = form.instance
            staffing.place(profile.user, role=profile.role, stores=[store.pk for store in form.cleaned_data["stores"]])

    @admin.display(description=_("login"))
    def login(self, profile: StaffProfile) -> str:
        address = reverse("admin:members_user_change", args=[profile.user_id])
        return format_html('<a href="{}" class="link">{}</a>', address, profile.user.email)

    @admin.display(description=_("e-mail"), ordering="user__email")
    def email(self, profile: StaffProfile) -> str:
        return profile.user.email

    @display(description=_("role"), ordering="role", label=True)
    def job(self, profile: StaffProfile) -> Any:
        return profile.get_role_display()

    @admin.display(description=_("stores"))
    def works_in(self, profile: StaffProfile) -> str:
        return ", ".join(store.name for store in profile.stores.all()) or str(_("every store"))

    @admin.display(description=_("active"), boolean=True, ordering="user__is_active")
    def active(self, profile: StaffProfile) -> bool:
        return profile.user.is_active


class LoginForm(forms.ModelForm[User]):
    new_password = forms.CharField(
        label=capfirst(_("new password")), strip=False, required=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text=_("At least 12 characters. Leave empty to keep the one there is."),
    )  # fmt: skip

    class Meta:
        model = User
        fields = ("is_active",)

    def clean_new_password(self) -> str:
        password: str = self.cleaned_data["new_password"]
        if password:
            validate_password(password, self.instance)
        return password


@admin.register(User)
class LoginAdmin(Backoffice):
    """Logins of staff: let them in or not, and set a password. Members' logins are no concern of anybody here."""

    scope = Scope.HEAD_OFFICE
    private = ("email", "new_password")
    form = LoginForm
    list_display = ("email", "is_active", "since", "last_seen")
    list_filter = ("is_active",)
    ordering = ("email",)
    search_fields = ("email",)
    search_help_text = _("E-mail")
    export_columns = ("email", "is_active", "date_joined", "last_login")
    since = instant("date_joined", _("since"))
    last_seen = instant("last_login", _("last sign-in"))

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        seen = ("email", "is_active", "since", "last_seen")
        return [(None, {"fields": (*seen, "new_password") if self.has_change_permission(request, obj) else seen})]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        """Nobody locks themselves out."""
        fixed = ("email", "since", "last_seen")
        return (*fixed, "is_active") if obj == request.user else fixed

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        rows: QuerySet[User] = super().get_queryset(request).filter(is_staff=True)
        return rows

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if form.cleaned_data["new_password"]:
            obj.set_password(form.cleaned_data["new_password"])
        super().save_model(request, obj, form, change)
