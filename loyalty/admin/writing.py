"""Pages of which the form writes by a verb: it judges and writes in one step, into the audit trail too."""

from abc import abstractmethod
from typing import Any, ClassVar
from uuid import UUID

from django import forms
from django.db.models import Model
from django.http import HttpRequest

from loyalty import auditing
from loyalty.backoffice import Backoffice
from loyalty.problems import Problem


class VerbForm(forms.ModelForm[Any]):
    """Writes as whoever is signed in; what the verb refuses stands at its field."""

    actor: ClassVar[UUID]
    # Fields of the form that the verb calls otherwise.
    named: ClassVar[dict[str, str]] = {}

    @abstractmethod
    def write(self) -> Any:
        """Carry out the verb; the written row. Raises Problem."""

    def _post_clean(self) -> None:
        """Where a model form would judge and fill its instance."""
        if self.errors:
            return
        try:
            self.instance = self.write()
        except Problem as problem:
            for fault in problem.faults:
                name = fault.pointer.removeprefix("/")
                name = self.named.get(name, name)
                self.add_error(name if name in self.fields else None, fault.detail)
            if not problem.faults:
                self.add_error(None, problem.detail)

    def save(self, commit: bool = True) -> Any:
        """The verb has written already."""
        return self.instance

    def save_m2m(self) -> None:
        """Nothing is left to write."""


class Written(Backoffice):
    """A page with such a form."""

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        form.actor = auditing.actor_of(request)
        return form

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """The form's verb has written, into the audit trail too."""

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> None:  # type: ignore[override]
        """See save_model."""

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> None:  # type: ignore[override]
        """See save_model."""
