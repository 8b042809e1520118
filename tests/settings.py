"""Settings of the tests: the product's own, on servers that live for one run."""

import os

from config import testservers

testservers.start()
os.environ["REDIS_URL"] = testservers.redis_url(int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")))

from config.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
MAILERS = {"default": {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}}
# No collectstatic before a test: files are served from where they lie.
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
STATIC_ROOT = testservers.HOME / "static"
STATIC_ROOT.mkdir(parents=True, exist_ok=True)
