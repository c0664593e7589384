"""What the framework makes of a body that a schema describes: the reference of the fuzz gate."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.http import QueryDict
from rest_framework import serializers
from rest_framework.pagination import LimitOffsetPagination
from rest_framework.request import Request
from rest_framework.serializers import ValidationError
from rest_framework.test import APIRequestFactory

__all__ = ["ValidationError", "as_form", "converted", "paged"]

Schema = Mapping[str, Any]


def converted(body: Any, schema: Schema, partial: bool = False) -> Any:
    """The body, JSON or a form, with its values in the types of the schema. Raises ValidationError if the framework
    would refuse one of them. What else the schema asks for, such as patterns, is left to the caller."""
    serializer = _object(schema)(data=body, partial=partial)
    serializer.is_valid(raise_exception=True)
    return _plain(serializer.validated_data)


def _object(schema: Schema) -> Any:
    required = schema.get("required", ())
    fields = {name: _field(part, name in required) for name, part in schema.get("properties", {}).items()}
    return type("Body", (serializers.Serializer,), fields)


def _field(schema: Schema, required: bool = True) -> serializers.Field:
    """The stock field for values of a schema."""
    options = {"required": required, "allow_null": schema.get("nullable", False)}
    match schema.get("type"):
        case "integer":
            return serializers.IntegerField(**options)
        case "boolean":
            return serializers.BooleanField(**options)
        case "array":
            return serializers.ListField(child=_field(schema.get("items", {})), **options)
        case "object" if "properties" in schema:
            return _object(schema)(**options)
        case "string" if "enum" in schema:
            return serializers.ChoiceField(schema["enum"], allow_blank="" in schema["enum"], **options)
        case "string" if schema.get("format") == "date-time":
            return serializers.DateTimeField(**options)
        case "string":
            return serializers.CharField(allow_blank=True, **options)
        case _:
            return serializers.JSONField(**options)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return value.isoformat() if isinstance(value, datetime) else value


def as_form(fields: Mapping[str, list[str]]) -> QueryDict:
    """The fields of a form as the framework receives them."""
    form = QueryDict(mutable=True)
    for name, texts in fields.items():
        form.setlist(name, texts)
    return form


def paged(query: Mapping[str, Any]) -> Mapping[str, int]:
    """The limit and the offset that the framework reads from a query, whatever is in it."""
    request, pages = Request(APIRequestFactory().get("/", query)), LimitOffsetPagination()
    return {"limit": pages.get_limit(request), "offset": pages.get_offset(request)}
