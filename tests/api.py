"""A till that talks to the API over HTTP."""

import json
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from django.test import Client

from tests.factories import api_key


@dataclass
class Till:
    """`post` and the like send a fresh Idempotency-Key unless one is given."""

    token: str
    client: Client = field(default_factory=Client)

    def __call__(self, method: str, path: str, body: Any = None, *, key: str | None = "", **headers: str) -> Any:
        sent = {"Authorization": f"Bearer {self.token}", **headers}
        if key is not None:
            sent["Idempotency-Key"] = key or str(uuid4())
        text = body if isinstance(body, str | bytes) else json.dumps(body, default=str)
        return self.client.generic(method, f"/api/v1{path}", text, content_type="application/json", headers=sent)

    def get(self, path: str) -> Any:
        return self("GET", path, "", key=None)

    def post(self, path: str, body: Any, **given: Any) -> Any:
        return self("POST", path, body, **given)


def till(*scopes: str, store: str | None = None, trusted: bool = False) -> Till:
    return Till(api_key(*(scopes or ("pos", "read")), store=store, trusted=trusted))
