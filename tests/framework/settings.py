"""Settings of the project: no accounts, everything in memory."""

ALLOWED_HOSTS = ["*"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = ["rest_framework", "tests.framework"]
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "EXCEPTION_HANDLER": "tests.framework.views.codes_only",
    "PAGE_SIZE": 20,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "UNAUTHENTICATED_USER": None,
}
STORAGES = {"default": {"BACKEND": "django.core.files.storage.InMemoryStorage"}}
ROOT_URLCONF = "tests.framework.views"
TIME_ZONE = "UTC"
USE_TZ = True
