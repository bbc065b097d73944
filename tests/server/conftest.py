"""Django wants its settings before its models are imported, and once for a process."""

import django
from django.conf import settings

settings.configure(
    SECRET_KEY="a secret for tests",
    ROOT_URLCONF="tests.server.frameworks",
    ALLOWED_HOSTS=["*"],
    USE_TZ=True,
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
    ],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    MIDDLEWARE=["relogin.server.django.SessionGate"],
    LOGGING_CONFIG=None,
)
django.setup()
