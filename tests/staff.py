"""Staff at the admin's door, made as the product makes them."""

from collections.abc import Sequence

from django.test import Client

from members.models import User
from members.staffing import employ


def signed_in(role: str, *, stores: Sequence[str] = ()) -> Client:
    """A browser in which a colleague of this role has signed in."""
    email = f"{role}@shop.example"
    employ(email, role=role, name=role.title(), stores=stores)
    client = Client()
    client.force_login(User.objects.get(email=email))
    return client


def text(response: object) -> str:
    return response.content.decode()  # type: ignore[attr-defined,no-any-return]
