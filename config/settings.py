"""Settings of Regulars. Everything that differs between installations comes from the environment."""

import sys
from pathlib import Path

import dj_database_url
import django_stubs_ext
from django.utils.csp import CSP

from config import environment, logs

# Django's generic classes take their type arguments at run time too.
django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent
# `up` starts the servers that everything else needs, so it alone runs without them.
STARTS_SERVERS = sys.argv[1:2] == ["up"]
if not STARTS_SERVERS:
    environment.adopt_running_box()

ONE_BOX = environment.flag("REGULARS_ONE_BOX")
DEBUG = environment.flag("DEBUG")
SECRET_KEY = environment.text("SECRET_KEY", "only-for-up" if STARTS_SERVERS else None)
ORIGIN = environment.text("REGULARS_ORIGIN", "http://localhost:8000")
SECURE = ORIGIN.startswith("https://")
ALLOWED_HOSTS = environment.names("REGULARS_HOSTS", "localhost,127.0.0.1")
CSRF_TRUSTED_ORIGINS = [ORIGIN]

# The programme: read when the first terms version is written, and never again.
REGULARS_NAME = environment.text("REGULARS_NAME", "Regulars")
REGULARS_CURRENCY = environment.text("REGULARS_CURRENCY", "EUR")
REGULARS_TIMEZONE = environment.text("REGULARS_TIMEZONE", "Europe/Paris")
# Phone numbers without a country's code are read as numbers of this country (ISO 3166).
REGULARS_COUNTRY = environment.text("REGULARS_COUNTRY", "FR")

INSTALLED_APPS = [
    "config",
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "unfold.contrib.import_export",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "config.apps.RegularsAdminConfig",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "ninja",
    "import_export",
    "django_structlog",
    "lucide",
    "loyalty",
    "members",
    "catalog",
    "campaigns",
]
if STARTS_SERVERS:  # it needs its own command, not a second spent on loading the rest
    INSTALLED_APPS = ["config"]

MIDDLEWARE = [
    "django_structlog.middlewares.RequestMiddleware",
    "config.middleware.request_id_header",
    "config.middleware.api_problems",
    "config.middleware.api_limit",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "config.middleware.private_pages",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.template.context_processors.csp",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "config.pages.frame.portal",
            ],
        },
    },
]

# DATABASE_URL is the application role; `migrate` alone runs as the owner (config/management/commands/migrate.py).
DATABASES = {}
if not STARTS_SERVERS:
    DATABASES["default"] = dj_database_url.parse(environment.text("DATABASE_URL"), conn_max_age=0)
    DATABASES["default"]["OPTIONS"] = {"options": "-c lock_timeout=5s -c statement_timeout=15s"}
    # A page may take so long; commands and the worker, also as `python -m celery`, take what they need.
    if {"manage.py", "celery"} & set(Path(sys.argv[0]).parts[-2:]):
        DATABASES["default"]["OPTIONS"] = {"options": "-c lock_timeout=5s"}
    if environment.flag("DB_POOL"):
        DATABASES["default"]["OPTIONS"]["pool"] = {"min_size": 1, "max_size": 8, "timeout": 10}
# Calls of the API that one key may make in a minute.
API_CALLS_PER_MINUTE = environment.whole("REGULARS_API_CALLS_PER_MINUTE", 6000)
DATABASE_OWNER_URL = environment.text("DATABASE_OWNER_URL", "")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Signed checkpoints of the ledger lie in a folder that every process may read; the sealing process alone is told the key.
SEAL_FOLDER = environment.file("REGULARS_SEAL_FOLDER")
SEAL_PUBLIC_KEY = environment.file("REGULARS_SEAL_PUBLIC_KEY")
SEAL_KEY = environment.file("REGULARS_SEAL_KEY")

REDIS_URL = environment.text("REDIS_URL", "redis://localhost:6379/0" if STARTS_SERVERS else None)
# A server that does not answer costs a call three tenths of a second, once.
CACHE_PATIENCE = {"socket_timeout": 0.3, "socket_connect_timeout": 0.3, "retry": None}
CACHES = {"default": {"BACKEND": "config.cache.VanishingCache", "LOCATION": REDIS_URL, "OPTIONS": CACHE_PATIENCE}}
CELERY_BROKER_URL = (
    REDIS_URL.replace("unix://", "redis+socket://").replace("?db=", "?virtual_host=")
    if REDIS_URL.startswith("unix://")
    else REDIS_URL
)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BEAT_SCHEDULER = "celery.beat:Scheduler"
CELERY_TIMEZONE = "UTC"

AUTH_USER_MODEL = "members.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ACCOUNT_ADAPTER = "members.accounts.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "members.forms.StaffSignInForm",
    "request_login_code": "members.forms.SignInForm",
    "confirm_login_code": "members.forms.CodeForm",
}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_FORMAT = {"numeric": True, "length": 6, "dashed": False}
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 600
ACCOUNT_LOGIN_BY_CODE_MAX_ATTEMPTS = 3
# Codes to one address are counted in PostgreSQL (members.codes).
ACCOUNT_RATE_LIMITS = {"request_login_code": "20/m/ip"}
ACCOUNT_EMAIL_VERIFICATION = "optional"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_ON_GET = False
LOGIN_URL = "account_request_login_code"
LOGIN_REDIRECT_URL = "card"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_request_login_code"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not SECURE

SESSION_COOKIE_AGE = 180 * 24 * 3600
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_NAME = "__Host-session" if SECURE else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if SECURE else "csrf"
CSRF_COOKIE_HTTPONLY = True
SECURE_HSTS_SECONDS = 63_072_000 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE
# Load balancers ask over plain http.
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_SSL_REDIRECT = SECURE and environment.flag("REGULARS_HTTPS_REDIRECT", default=True)
if environment.flag("REGULARS_BEHIND_PROXY"):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
ALLAUTH_TRUSTED_PROXY_COUNT = environment.whole("REGULARS_PROXIES", 0)
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SECURE_CSP: dict[str, list[str]] = {
    "default-src": [CSP.SELF],
    "script-src": [CSP.SELF, CSP.NONCE],
    "style-src": [CSP.SELF, CSP.NONCE],
    "img-src": [CSP.SELF, "data:"],
    "object-src": [CSP.NONE],
    "base-uri": [CSP.NONE],
    "frame-ancestors": [CSP.NONE],
    "form-action": [CSP.SELF],
}
# Unfold evaluates expressions in its templates and sets style attributes; it has no inline scripts.
ADMIN_CSP: dict[str, list[str]] = {
    **SECURE_CSP,
    "script-src": [CSP.SELF, CSP.UNSAFE_EVAL],
    "style-src": [CSP.SELF, CSP.UNSAFE_INLINE],
}

# Mail: a folder that staff can read in the admin (one box), or an SMTP server.
MAIL_DIR = environment.text("REGULARS_MAIL_DIR", "")
DEFAULT_FROM_EMAIL = environment.text("REGULARS_MAIL_FROM", "Regulars <card@localhost>")
if MAIL_DIR:
    MAILERS = {"default": {"BACKEND": "django.core.mail.backends.filebased.EmailBackend", "OPTIONS": {"file_path": MAIL_DIR}}}
else:
    MAILERS = {
        "default": {
            "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            "OPTIONS": {
                "host": environment.text("SMTP_HOST", "localhost"),
                "port": environment.whole("SMTP_PORT", 25),
                "username": environment.text("SMTP_USER", ""),
                "password": environment.text("SMTP_PASSWORD", ""),
                "use_tls": environment.flag("SMTP_TLS"),
                "timeout": 15,
            },
        }
    }

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("fr", "Français"), ("zh-hans", "简体中文"), ("zh-hant", "繁體中文")]
LOCALE_PATHS = [BASE_DIR / "config" / "locale"]
LANGUAGE_COOKIE_AGE = SESSION_COOKIE_AGE
USE_THOUSAND_SEPARATOR = True
FORMAT_MODULE_PATH = "config.formats"
TIME_ZONE = "UTC"

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = Path(environment.text("REGULARS_STATIC_ROOT", str(BASE_DIR / "var" / "static")))
# Pictures that the merchant uploads; every process that serves pages needs the same folder.
MEDIA_URL = "media/"
MEDIA_ROOT = Path(environment.text("REGULARS_MEDIA_ROOT", str(BASE_DIR / "var" / "media")))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
WHITENOISE_KEEP_ONLY_HASHED_FILES = False

LOGGING = logs.configure(debug=DEBUG)
DJANGO_STRUCTLOG_CELERY_ENABLED = True
IMPORT_EXPORT_ESCAPE_FORMULAE_ON_EXPORT = True
IMPORT_EXPORT_USE_TRANSACTIONS = True
SILENCED_SYSTEM_CHECKS: list[str] = []

UNFOLD = {
    "SITE_TITLE": REGULARS_NAME,
    "SITE_HEADER": REGULARS_NAME,
    "SITE_SYMBOL": "storefront",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": "config.pages.sidebar.icon"}],
    "SITE_URL": "/",
    "SHOW_HISTORY": True,
    "SHOW_BACK_BUTTON": True,
    "SHOW_LANGUAGES": True,
    "SHOW_VIEW_ON_SITE": False,
    "BORDER_RADIUS": "6px",
    "STYLES": ["config.pages.sidebar.css", "config.pages.sidebar.rules_css", "config.pages.sidebar.rewards_css"],
    "DASHBOARD_CALLBACK": "config.pages.dashboard.dashboard",
    "SIDEBAR": {"show_search": True, "navigation": "config.pages.sidebar.navigation"},
    "TABS": "config.pages.sidebar.saved_views",
    "COLORS": {
        "primary": {
            "50": "#eefbf5", "100": "#d6f5e6", "200": "#b0ead0", "300": "#7cd8b4", "400": "#46bf94", "500": "#1fa078",
            "600": "#128161", "700": "#0b6b4f", "800": "#0b5341", "900": "#0a4437", "950": "#04261f",
        }
    },
}  # fmt: skip
