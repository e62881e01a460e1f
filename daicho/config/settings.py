"""Django's settings. Whatever an installation may choose is read by `env.py`; the rest is decided here."""

import os

from daicho.config import env, logs

ENV = env.read(os.environ)

DATA = ENV["DAICHO_DATA"]
DEBUG = ENV["DAICHO_DEBUG"]
DEMO = ENV["DAICHO_DEMO"]
SITE = ENV["DAICHO_SITE_URL"]
SITE_URL = f"{SITE.scheme}://{SITE.netloc}"
SECURE = SITE.scheme == "https"

DATABASES = {"default": env.database(ENV["DAICHO_DATABASE_URL"], DATA)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ON_SQLITE = DATABASES["default"]["ENGINE"].endswith("sqlite3")

# A missing key on PostgreSQL is refused by check E102; the stand-in only lets the check be reached.
SECRET_KEY = ENV["DAICHO_SECRET_KEY"] or (env.kept_secret_key(DATA) if ON_SQLITE else "unset")

# Applications, lowest room first.
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "django_htmx",
    "daicho.config",
    "daicho.domain.schedule",
    "daicho.domain.tenancy",
    "daicho.domain.files",
    "daicho.domain.audit",
    "daicho.domain.mailbox",
    "daicho.domain.access",
    "daicho.domain.bulk",
    "daicho.domain.catalog",
    "daicho.domain.ledger",
    "daicho.domain.devices",
    "daicho.domain.orders",
    "daicho.domain.continuity",
    "daicho.domain.accounts",
    "daicho.domain.alerts",
    "daicho.interfaces.portal",
]
AUTH_USER_MODEL = "access.User"

# Requests.
ROOT_URLCONF = "daicho.config.urls"
WSGI_APPLICATION = "daicho.config.wsgi.application"
ALLOWED_HOSTS = [SITE.hostname] + (["127.0.0.1", "[::1]"] if SITE.hostname == "localhost" else [])
TRUSTED_PROXIES = ENV["DAICHO_TRUSTED_PROXIES"]
MIDDLEWARE = [
    "daicho.interfaces.portal.middleware.RequestContextMiddleware",
    "daicho.interfaces.portal.health.HealthMiddleware",
    "daicho.interfaces.portal.middleware.CleanAddressMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "daicho.interfaces.api.lanes.LanesMiddleware",
    "daicho.interfaces.portal.turns.TurnsMiddleware",
    "daicho.interfaces.portal.middleware.OutlivingMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "daicho.interfaces.portal.middleware.SessionLimitsMiddleware",
    "daicho.interfaces.portal.middleware.UserLanguageMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "daicho.interfaces.portal.operator_two_step.OperatorTwoStepMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
DATA_UPLOAD_MAX_MEMORY_SIZE = 50 * 1024 * 1024  # product.md §3: uploads of 50 MB
DATA_UPLOAD_MAX_NUMBER_FIELDS = 20_000  # a transfer of 10,000 lines posts a lot and a quantity for each

# Pages.
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [str(env.PACKAGE / "interfaces/portal/templates")],  # before allauth's own pages
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "daicho.interfaces.portal.context.portal",
            ],
        },
    }
]
STATIC_URL = "/static/"
STATIC_ROOT = ENV["DAICHO_STATIC_ROOT"] or str(DATA / "static")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEBUG
WHITENOISE_AUTOREFRESH = DEBUG

# Language and time: UTC is stored; screens show the user's zone.
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = ENV["DAICHO_LANGUAGE"]
LANGUAGES = [("ja", "日本語"), ("en", "English")]
LOCALE_PATHS = [str(env.PACKAGE / "locale")]
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SECURE = SECURE
LANGUAGE_COOKIE_AGE = 365 * 86400

# People: allauth keeps log-in, confirmation of mail addresses, passwords, one-time codes and sessions.
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "daicho.interfaces.portal.accounts_adapter.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_FORMS = {
    "signup": "daicho.interfaces.portal.accounts_forms.SignupForm",
    "login": "daicho.interfaces.portal.accounts_forms.LoginForm",
}
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = True  # only in the browser that has just signed up
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_DEFAULT_HTTP_PROTOCOL = SITE.scheme
ACCOUNT_RATE_LIMITS = {  # product.md §3: ten wrong ones an hour per user and per target, then wait
    "login_failed": "60/h/ip,10/h/key",
    "reset_password": "60/h/ip,10/h/key",
    "reauthenticate": "10/h/user",
}
MFA_ADAPTER = "daicho.interfaces.portal.accounts_adapter.TwoStepAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = ENV["DAICHO_OPERATOR_NAME"]
MFA_TOTP_TOLERANCE = 1

# Sessions: 12 hours without use, 7 days at most (SessionLimitsMiddleware).
SESSION_COOKIE_AGE = 12 * 3600
SESSION_LONGEST = 7 * 86400
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"

# Rate limits must hold over all processes, hence in the database.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "daicho_cache"}}

# Browsers.
SECURE_SSL_REDIRECT = SECURE
SECURE_HSTS_SECONDS = 365 * 86400 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SECURE_CSP = {
    "default-src": ["'none'"],
    "script-src": ["'self'"],
    "style-src": ["'self'"],
    "img-src": ["'self'", "data:"],
    "connect-src": ["'self'"],
    "font-src": ["'self'"],
    "manifest-src": ["'self'"],
    "form-action": ["'self'"],
    "base-uri": ["'none'"],
    "frame-ancestors": ["'none'"],
}

# Mail is written to the outbox by the domain and sent by the worker.
MAILERS = {"default": env.mailer(ENV)}
DEFAULT_FROM_EMAIL = SERVER_EMAIL = ENV["DAICHO_MAIL_FROM"] or f"daicho@{SITE.hostname}"

# Shown to people.
DEVICE_TIMERS = {
    name: ENV[f"DAICHO_DEVICE_{name}"]
    for name in (
        "CERTIFICATE_DAYS", "RENEW_DAYS", "CONTACT_DAYS", "SHORT_HOURS", "SILENCE_DAYS", "EVALUATION_DAYS", "KEY_NOTICE_DAYS",
    )
}  # fmt: skip
OPERATOR_NAME = ENV["DAICHO_OPERATOR_NAME"]
SUPPORT_MAIL = ENV["DAICHO_SUPPORT_MAIL"]
SUPPORT_PHONE = ENV["DAICHO_SUPPORT_PHONE"]
MAINTENANCE_NOTICE = {
    "en": ENV["DAICHO_MAINTENANCE_NOTICE"],
    "ja": ENV["DAICHO_MAINTENANCE_NOTICE_JA"] or ENV["DAICHO_MAINTENANCE_NOTICE"],
}

LOGGING_CONFIG = "daicho.config.logs.configure"
LOGGING = logs.settings(ENV["DAICHO_LOG_LEVEL"])
