"""For load balancers: is the process up, and can it serve."""

from typing import cast

from django.core.cache import caches
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse

from config.cache import VanishingCache
from members.access import public


@public
def healthz(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "up"})


@public
def readyz(request: HttpRequest) -> JsonResponse:
    """503 without the database or with migrations to run; a missing broker only degrades: postings go on without it."""
    try:
        executor = MigrationExecutor(connection)
        missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    except Error:
        return JsonResponse({"status": "down", "database": "unreachable"}, status=503)
    if missing:
        return JsonResponse({"status": "down", "migrations": missing}, status=503)
    return JsonResponse({"status": "ready", "database": "ready", "broker": _broker()})


def _broker() -> str:
    return "ready" if cast("VanishingCache", caches["default"]).ping() else "degraded"
