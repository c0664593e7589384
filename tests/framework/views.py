"""Views with the stock serializers of all models."""

from collections.abc import Mapping
from typing import Any

from django.db import models
from django.urls import include, path
from rest_framework import filters, pagination, routers, serializers, viewsets
from rest_framework.exceptions import APIException
from rest_framework.response import Response

from tests.framework.models import MODELS


def codes_only(error: Exception, _: Mapping[str, Any]) -> Response | None:
    """A refusal with the codes of its fields."""
    return Response(error.get_codes(), status=error.status_code) if isinstance(error, APIException) else None


class Pages(pagination.LimitOffsetPagination):
    max_limit = 100


def viewset(model: type[models.Model]) -> type[viewsets.ModelViewSet]:
    meta = type("Meta", (), {"model": model, "fields": "__all__"})
    parts = {
        "queryset": model._default_manager.order_by("id"),
        "serializer_class": type("Serializer", (serializers.ModelSerializer,), {"Meta": meta}),
        "pagination_class": Pages,
        "filter_backends": [filters.SearchFilter],
        "search_fields": ["name"],
    }
    return type(f"{model.__name__}Views", (viewsets.ModelViewSet,), parts)


router = routers.DefaultRouter()
for model in MODELS:
    router.register(model.__name__.lower(), viewset(model))
urlpatterns = [path("", include(router.urls))]
