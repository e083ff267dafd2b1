"""All settings, secure unless the environment says otherwise.

The environment variables, with a sentence each, are in `.env.example`. A file `.env`
beside it is read where there is one; not by `./dev`, which sets DEBUG and runs nobody's
installation.
"""

from datetime import timedelta
from email.headerregistry import Address
from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured
from django.utils.csp import CSP

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
if (BASE_DIR / ".env").is_file() and not env.bool("DEBUG", False):
    env.read_env(BASE_DIR / ".env")


def number(name: str, default: int) -> int:
    """Read a whole number, or say what to write."""
    try:
        return int(env.int(name, default))
    except ValueError:
        raise ImproperlyConfigured(
            f"{name} is not a whole number: write one, or leave it out for {default}."
        ) from None


# The site ---------------------------------------------------------------------

DEBUG = env.bool("DEBUG", False)
SECRET_KEY = env.str("SECRET_KEY", "development-only" if DEBUG else "")
SECRET_KEY_FALLBACKS = [
    key.strip() for key in env.list("SECRET_KEY_FALLBACKS", str, [])
]
if not SECRET_KEY:
    raise ImproperlyConfigured(
        "SECRET_KEY is not set. Put a long random value into the environment or .env."
    )

SITE_NAME = env.str("SITE_NAME", "Procore")
BASE_URL = env.str("BASE_URL", "http://127.0.0.1:8000" if DEBUG else "").rstrip("/")
if not BASE_URL:
    raise ImproperlyConfigured(
        "BASE_URL is not set. Put the address that people type into the environment or "
        ".env, such as https://accounts.example.com: all links in mails begin with it."
    )
ALLOWED_HOSTS = [
    host.strip()
    for host in env.list(
        "ALLOWED_HOSTS", str, ["127.0.0.1", "localhost"] if DEBUG else []
    )
]
IS_HTTPS = BASE_URL.startswith("https://")

ROOT_URLCONF = "procore_site.urls"
WSGI_APPLICATION = "procore_site.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "procore_site.apps.SiteConfig",
    "desk",
    "invitations",
    "companies",
    "audit",
    "accounts",
    "procore_site.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "django_tasks_db",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # Before all that may answer by itself, so that each answer has them (T50).
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "procore_site.middleware.NoStoreMiddleware",
    "procore_site.middleware.HealthMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "audit.middleware.ClientAddressMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "invitations.middleware.TermsMiddleware",
    "procore_site.middleware.NotFoundMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.csp",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "procore_site.context_processors.site",
            ],
        },
    },
]

LANGUAGE_CODE = "en-us"
FORMAT_MODULE_PATH = "procore_site.formats"
TIME_ZONE = env.str("TIME_ZONE", "UTC")
USE_TZ = True

# Databases and cache ----------------------------------------------------------

SQLITE_OPTIONS: dict[str, Any] = {
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
        "PRAGMA mmap_size=134217728; PRAGMA journal_size_limit=27103364;"
        "PRAGMA cache_size=2000;"
    ),
}
POSTGRESQL_OPTIONS = {
    "pool": {
        "min_size": 1,
        "max_size": number("DATABASE_POOL_SIZE", 8),
        "timeout": 10,
    },
    # Compiling takes longer than any query of ours: what looks dear to the planner are
    # look-ups for the rows of one page.
    "options": "-c statement_timeout=30000 -c lock_timeout=10000 -c jit=off",
}


def database() -> dict[str, Any]:
    """Read DATABASE_URL, with the options that each engine needs to be safe."""
    try:
        config: dict[str, Any] = env.db_url("DATABASE_URL", "sqlite:///db.sqlite3")
    except (ValueError, ImproperlyConfigured):
        config = {}
    engine = config.get("ENGINE", "").rpartition(".")[2]
    if engine not in {"sqlite3", "postgresql"}:
        raise ImproperlyConfigured(
            "DATABASE_URL names no database that can be used: write "
            "postgres://user:password@host:5432/name, or sqlite:///db.sqlite3."
        )
    if engine == "sqlite3":
        config["NAME"] = BASE_DIR / config["NAME"]
        # Named, so that the tests' threads and live server share one database file.
        config["TEST"] = {
            "NAME": env.str("TEST_SQLITE", str(BASE_DIR / ".test.sqlite3"))
        }
        config["OPTIONS"] = SQLITE_OPTIONS
    else:
        config["CONN_HEALTH_CHECKS"] = True
        config["OPTIONS"] = {**config.get("OPTIONS", {}), **POSTGRESQL_OPTIONS}
    return config


DATABASES = {"default": database()}
CACHES = {"default": env.cache_url("CACHE_URL", "dbcache://cache")}

# Accounts and passwords -------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "invitations.backends.AuthenticationBackend",
    "companies.backends.PermissionBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"accounts.password_validation.{name}"}
    for name in (
        "LengthValidator",
        "UppercaseValidator",
        "LowercaseValidator",
        "DigitValidator",
        "SpecialCharacterValidator",
        "HistoryValidator",
    )
]
PASSWORD_HASHERS = [
    "accounts.hashers.Argon2idHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    "django.contrib.auth.hashers.ScryptPasswordHasher",
]
ARGON2_MEMORY_KIB = number("ARGON2_MEMORY_KIB", 19456)
ARGON2_TIME_COST = number("ARGON2_TIME_COST", 2)
ARGON2_PARALLELISM = number("ARGON2_PARALLELISM", 1)

LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "companies:select"

ACCOUNT_ADAPTER = "procore_site.adapter.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "invitations.forms.LogInForm",
    "reset_password": "invitations.forms.ForgotOrFirstTimeForm",
    "reset_password_from_key": "invitations.forms.ResetPasswordForm",
    "user_token": "invitations.forms.ResetLinkForm",
    "add_email": "invitations.forms.ChangeAddressForm",
}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
# An account made with a first password (S6) is unproven, yet may log in; what it may
# reach is decided by `User.is_proven`.
ACCOUNT_EMAIL_VERIFICATION = "optional"
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_CONFIRM_EMAIL_ON_GET = False
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_LOGIN_ON_PASSWORD_RESET = False
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if IS_HTTPS else "http"
ACCOUNT_RATE_LIMITS = {
    "login_failed": "10/m/ip,5/5m/key",
    "invitation_link": "20/m/ip",
}
ALLAUTH_TRUSTED_PROXY_COUNT = number("TRUSTED_PROXY_COUNT", 0)
MFA_ADAPTER = "procore_site.adapter.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = DEBUG
MFA_TOTP_ISSUER = SITE_NAME
# Each request would otherwise write when a session was last seen.
USERSESSIONS_TRACK_ACTIVITY = False

# Invitations ------------------------------------------------------------------

INVITATION_DAYS = number("INVITATION_DAYS", 7)
FIRST_PASSWORD_LIFE = timedelta(hours=24)

# Mail and work after the answer -----------------------------------------------

DEFAULT_FROM_EMAIL = env.str(
    "DEFAULT_FROM_EMAIL", str(Address(SITE_NAME, addr_spec="noreply@localhost"))
)
SERVER_EMAIL = DEFAULT_FROM_EMAIL


def mailers() -> dict[str, Any]:
    """Read EMAIL_URL; in development mail goes to files that the mailbox page shows."""
    url = env.email_url(
        "EMAIL_URL", f"filemail:///{BASE_DIR / '.mail'}" if DEBUG else "smtp://:@:25"
    )
    backend = url["EMAIL_BACKEND"]
    options: dict[str, Any] = {}
    if backend.endswith("filebased.EmailBackend"):
        options = {"file_path": f"/{url['EMAIL_FILE_PATH'].lstrip('/')}"}
    elif backend.endswith("smtp.EmailBackend"):
        names = {
            "EMAIL_HOST": "host",
            "EMAIL_PORT": "port",
            "EMAIL_HOST_USER": "username",
            "EMAIL_HOST_PASSWORD": "password",
            "EMAIL_USE_TLS": "use_tls",
            "EMAIL_USE_SSL": "use_ssl",
        }
        options = {new: url[old] for old, new in names.items() if url.get(old)}
        options = {"host": "localhost", "timeout": 10} | options
    return {"default": {"BACKEND": backend, "OPTIONS": options}}


MAILERS = mailers()
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}

# Sessions, cookies, headers ---------------------------------------------------

SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_NAME = "__Host-sid" if IS_HTTPS else "sid"
CSRF_COOKIE_NAME = "__Host-csrf" if IS_HTTPS else "csrf"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 24 * 60 * 60
CSRF_FAILURE_VIEW = "procore_site.views.csrf_failure"

SECURE_SSL_REDIRECT = IS_HTTPS
# Whoever asks on the machine itself knows neither the proxy's header nor the host.
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz)$"]
if ALLAUTH_TRUSTED_PROXY_COUNT:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60 if IS_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = IS_HTTPS
# `no-referrer` would break the CSRF check over HTTPS; tokens leave the address at once.
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SECURE_CSP = {
    "default-src": [CSP.SELF],
    "script-src": [CSP.SELF, CSP.NONCE],
    "style-src": [CSP.SELF, CSP.NONCE],
    "img-src": [CSP.SELF, "data:"],
    "frame-ancestors": [CSP.NONE],
    "form-action": [CSP.SELF],
    "base-uri": [CSP.NONE],
    "object-src": [CSP.NONE],
}

# Static files -----------------------------------------------------------------

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / ".static"
STATICFILES_DIRS = [BASE_DIR / "static"]
# In development from where they lie; in production from what collectstatic gathered.
WHITENOISE_AUTOREFRESH = WHITENOISE_USE_FINDERS = DEBUG
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# Logging ----------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"no_tokens": {"()": "procore_site.logging.MaskTokens"}},
    "formatters": {
        "line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["no_tokens"],
        }
    },
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "django": {"level": "INFO"},  # without the second handler of Django's own
        "django.server": {"handlers": ["console"], "propagate": False},
    },
}
