"""A small project of Django REST Framework: what the framework behind the real API does with stock fields.

Only tests use it, as a reference that knows nothing of this server.
"""

import os

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.framework.settings"
django.setup()


from django.core.files.uploadedfile import SimpleUploadedFile  # noqa: E402 (the settings come first)
from django.db import connection  # noqa: E402
from rest_framework.test import APIClient as Client  # noqa: E402

from tests.framework.models import MODELS  # noqa: E402
from tests.framework.reading import ValidationError, as_form, converted, paged  # noqa: E402

__all__ = ["Client", "SimpleUploadedFile", "ValidationError", "as_form", "converted", "paged", "reference"]


def reference() -> Client:
    """A client of the project, with an empty database."""
    present = connection.introspection.table_names()
    with connection.schema_editor() as editor:
        for model in reversed(MODELS):
            if model._meta.db_table in present:
                editor.delete_model(model)
        for model in MODELS:
            editor.create_model(model)
    return Client()
