"""Django's settings, derived from the typed environment; see docs/hosting/configuration.md."""

from urllib.parse import parse_qs, unquote, urlsplit

from salon.accounts.channels.registry import has_sms
from salon.common.paths import PACKAGE
from salon.config.environment import derived_secret, environment
from salon.config.rate_limits import passkey_limits, sign_in_limits
from salon.config.smtp import parse_smtp_url

ENVIRONMENT = environment()

SECRET_KEY = derived_secret(ENVIRONMENT.secret_key, "django")
DEBUG = False  # Django's debug pages keep queries and print secrets; development has the log instead.
_HOST = urlsplit(ENVIRONMENT.public_url).hostname or "localhost"
ALLOWED_HOSTS = ["*"] if ENVIRONMENT.is_development else [_HOST, "127.0.0.1", "localhost"]
CSRF_TRUSTED_ORIGINS = [ENVIRONMENT.public_url]
USE_X_FORWARDED_HOST = True
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    # Before allauth, whose mail texts ours replace.
    "salon.accounts",
    "allauth",
    "allauth.account",
    "allauth.headless",
    "allauth.mfa",
    "procrastinate.contrib.django",
    "salon.streams",
    "salon.social",
    "salon.rooms",
    "salon.conversation",
    "salon.quality",
]
if ENVIRONMENT.demo:
    INSTALLED_APPS.append("salon.demo")

MIDDLEWARE = [
    "salon.api.security_headers.ContentSecurityMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "salon.accounts.callers.VisitorMiddleware",
    "salon.accounts.sign_in_input.SignInInputMiddleware",
    "salon.api.failures.OneErrorBodyMiddleware",
]
SECURE_REFERRER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 0 if ENVIRONMENT.is_development else 365 * 24 * 3600
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "salon.api.failures.csrf_failed"
ROOT_URLCONF = "salon.config.urls"
WSGI_APPLICATION = "salon.config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [PACKAGE / "config" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]


def _database(url: str) -> dict[str, object]:
    """A libpq URL as Django's dictionary; the socket folder of a private cluster comes as `?host=`."""
    parts = urlsplit(url)
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    host = query.pop("host", None) or parts.hostname or ""
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")) or "salon",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(parts.port or ""),
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "pool": {"min_size": 1, "max_size": 8, "timeout": 5},
            # For salon/common/prepared.py: statements of a cursor that binds on the server, and no others, are planned at their first run,
            # and that plan is kept, where PostgreSQL would make five more to compare.
            "prepare_threshold": 0,
            "options": "-c plan_cache_mode=force_generic_plan",
            **query,
        },
    }


DATABASES = {"default": _database(ENVIRONMENT.database_url)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.Person"
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend", "allauth.account.auth_backends.AuthenticationBackend"]
SESSION_COOKIE_AGE = 90 * 24 * 3600  # a season: signing in by code is quick, but not something to do every fortnight
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not ENVIRONMENT.is_development
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"

# Sign-up and sign-in: django-allauth's headless API for browsers. No passwords anywhere.
HEADLESS_ONLY = True
HEADLESS_CLIENTS = ("browser",)
HEADLESS_FRONTEND_URLS = {"account_signup": f"{ENVIRONMENT.public_url}/sign-in"}
ACCOUNT_ADAPTER = "salon.accounts.adapter.AccountAdapter"
ACCOUNT_SIGNUP_FORM_CLASS = "salon.accounts.forms.SignUpForm"
ACCOUNT_SIGNUP_FIELDS = ["email*"]
ACCOUNT_LOGIN_METHODS = {"email", "phone"} if has_sms() else {"email"}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None  # the handle; the sign-up form and Salon's own rules look after it
ACCOUNT_USER_DISPLAY = str
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = ACCOUNT_LOGIN_BY_CODE_SUPPORTS_RESEND = True
_CODE = {"numeric": True, "length": 6, "dashed": False}
ACCOUNT_LOGIN_BY_CODE_FORMAT = ACCOUNT_EMAIL_VERIFICATION_BY_CODE_FORMAT = ACCOUNT_PHONE_VERIFICATION_CODE_FORMAT = _CODE
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = ACCOUNT_EMAIL_VERIFICATION_BY_CODE_TIMEOUT = ACCOUNT_PHONE_VERIFICATION_TIMEOUT = 15 * 60
ACCOUNT_RATE_LIMITS = sign_in_limits(is_development=ENVIRONMENT.is_development)
MFA_RATE_LIMITS = passkey_limits(is_development=ENVIRONMENT.is_development)
ACCOUNT_MAX_EMAIL_ADDRESSES = 3
# The gateway writes the address it sees behind whatever X-Forwarded-For says.
ALLAUTH_TRUSTED_PROXY_COUNT = 1
MFA_ADAPTER = "salon.accounts.adapter.PasskeyAdapter"
MFA_SUPPORTED_TYPES = ["webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = MFA_PASSKEY_SIGNUP_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = ENVIRONMENT.is_development  # http://localhost
INVITATIONS_TO_START_WITH = 2

# Shared by all web processes: rate limits are counted here. The table is made by a migration of salon.accounts.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "accounts_cache",
        "OPTIONS": {"MAX_ENTRIES": 50_000},
    }
}

EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
DEFAULT_FROM_EMAIL = SERVER_EMAIL = ENVIRONMENT.mail_from
EMAIL_TIMEOUT = 10
if ENVIRONMENT.smtp_url:
    SMTP = parse_smtp_url(ENVIRONMENT.smtp_url)
    EMAIL_HOST, EMAIL_PORT, EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = SMTP.host, SMTP.port, SMTP.user, SMTP.password
    EMAIL_USE_SSL, EMAIL_USE_TLS = SMTP.implicit_tls, SMTP.start_tls

LANGUAGE_CODE = ENVIRONMENT.default_language
LANGUAGES = [("en", "English"), ("fr", "Français")]
LOCALE_PATHS = [PACKAGE / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
STATIC_ROOT = ENVIRONMENT.data_dir / "static"
MEDIA_URL = "/uploads/"
MEDIA_ROOT = ENVIRONMENT.data_dir / "uploads"

DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024
PICTURE_MOST_BYTES = 8 * 1024 * 1024

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {"django.request": {"level": "ERROR"}},
}
