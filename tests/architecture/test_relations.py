"""Foreign keys follow imports: no row of a lower room points at a row of a higher one."""

from collections.abc import Iterable

from django.apps import apps
from django.contrib.contenttypes.fields import GenericForeignKey
from django.db import models
from django.test.utils import isolate_apps

from tests.architecture.source import ROOMS, nothing


def pointing_up(found: Iterable[type[models.Model]]) -> list[str]:
    """Relations of the rooms' models that lead to a room above, or to anything at all."""
    return [
        f"{model._meta.label}.{field.name}"
        for model in found
        for field in model._meta.get_fields()
        if model._meta.app_label in ROOMS and _points_up(model, field)
    ]


def _points_up(model: type[models.Model], field: object) -> bool:
    if isinstance(field, GenericForeignKey):
        return True
    target = getattr(field, "related_model", None)
    if target is None or getattr(field, "auto_created", False) or target._meta.app_label not in ROOMS:
        return False
    return ROOMS.index(target._meta.app_label) < ROOMS.index(model._meta.app_label)


def test_no_relation_points_up() -> None:
    nothing(pointing_up(apps.get_models(include_auto_created=True)))


@isolate_apps("loyalty", "members", "django.contrib.contenttypes")
def test_a_relation_that_points_up_is_noticed() -> None:
    class Person(models.Model):
        class Meta:
            app_label = "members"

    class Paper(models.Model):
        of = models.ForeignKey(Person, models.CASCADE)
        about = GenericForeignKey()

        class Meta:
            app_label = "loyalty"

    assert pointing_up([Person, Paper]) == ["loyalty.Paper.of", "loyalty.Paper.about"]
