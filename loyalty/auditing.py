"""The audit trail: who did what to which object, by ids. Of personal data it keeps the names of the fields alone."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

from django.db.models import Model
from django.forms import BaseForm
from django.http import HttpRequest

from loyalty.models import AuditRecord


def record(actor: UUID | None, verb: str, object_type: str, object_id: object, changes: Mapping[str, Any] | None = None) -> None:
    """Write one act down, in the caller's transaction. `verb` is dotted (`store.changed`), `object_type` a model's label."""
    AuditRecord.objects.create(
        actor=actor, verb=verb, object_type=object_type, object_id=str(object_id), changes=dict(changes or {})
    )


def actor_of(request: HttpRequest) -> UUID:
    """The random id under which whoever is signed in acts."""
    return request.user.actor  # type: ignore[union-attr]


def changes_of(form: BaseForm, *, private: Collection[str] = ()) -> dict[str, Any]:
    """What a valid form changes: [before, after] for each field, None for a `private` one."""
    return {
        name: None if name in private else [_plain(form.initial.get(name)), _plain(form.cleaned_data.get(name))]
        for name in form.changed_data
    }


def differences(was: Mapping[str, Any], becomes: Mapping[str, Any]) -> dict[str, Any]:
    """[before, after] of each part that differs, by its name."""
    both = {name: [was.get(name, ""), becomes.get(name, "")] for name in sorted({*was, *becomes})}
    return {name: pair for name, pair in both.items() if pair[0] != pair[1]}


def in_words(changes: Mapping[str, Any]) -> str:
    """`timezone: Europe/Paris → Asia/Shanghai, email`."""
    return ", ".join(
        f"{name}: {_word(value[0])} → {_word(value[1])}" if isinstance(value, list) and len(value) == 2
        else name if value is None else f"{name}: {_word(value)}"
        for name, value in changes.items()
    )  # fmt: skip


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, Model):
        return _plain(value.pk)
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, Iterable):
        return [_plain(one) for one in value]
    return str(value)


def _word(value: Any) -> str:
    return ", ".join(str(one) for one in value) if isinstance(value, list) else "–" if value in (None, "") else str(value)


def acts_since(actor: UUID, verb: str, since: datetime) -> int:
    """How often `actor` did this after `since`."""
    return AuditRecord.objects.filter(actor=actor, verb=verb, at__gt=since).count()
