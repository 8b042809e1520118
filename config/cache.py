"""A cache that may vanish: without Redis nothing is found in it and nothing is kept, and the product goes on.

It holds politeness limits only; whatever is worth money is counted in PostgreSQL.
"""

from collections.abc import Callable
from typing import Any

import structlog
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)


class VanishingCache(RedisCache):
    """Django's Redis cache, whose failures are misses."""

    def _try[T](self, act: Callable[[], T], *, otherwise: T) -> T:
        try:
            return act()
        except (RedisError, OSError) as error:
            log.warning("cache_unreachable", error=str(error))
            return otherwise

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return self._try(lambda: super(VanishingCache, self).get(key, default, version), otherwise=default)

    def set(self, *args: Any, **kwargs: Any) -> None:
        self._try(lambda: super(VanishingCache, self).set(*args, **kwargs), otherwise=None)

    def add(self, *args: Any, **kwargs: Any) -> bool:
        return self._try(lambda: super(VanishingCache, self).add(*args, **kwargs), otherwise=True)

    def incr(self, key: Any, delta: int = 1, version: int | None = None) -> int:
        """A counter that has ended meanwhile begins again."""
        try:
            return self._try(lambda: super(VanishingCache, self).incr(key, delta, version), otherwise=0)
        except ValueError:
            return delta

    def delete(self, key: Any, version: int | None = None) -> bool:
        return self._try(lambda: super(VanishingCache, self).delete(key, version), otherwise=False)

    def ping(self) -> bool:
        """Whether the server answers."""
        return self._try(lambda: bool(self._cache.get_client().ping()), otherwise=False)
