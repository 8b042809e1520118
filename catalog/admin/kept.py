"""What all shops share is kept by whoever works for all of them."""

from django.db.models import Model
from django.http import HttpRequest

from loyalty.backoffice import Backoffice, Scope


class Kept(Backoffice):
    """Staff who are bound to a shop look at it and leave it as it is."""

    scope = Scope.PROGRAMME

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and self.house.stores_of(request) is None

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return super().has_change_permission(request, obj) and self.house.stores_of(request) is None
