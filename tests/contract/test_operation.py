"""An operation, and what is derived from its declaration."""

from stubserver.contract.contract import Contract


def test_fields_are_those_that_may_be_written(contract: Contract) -> None:
    """R011: read-only fields appear only in answers."""
    declared = set(next(iter(contract.operations["patch_course"].bodies.values())).schema["properties"])
    fields = set(contract.operations["patch_course"].fields)
    assert {"name", "categories", "image_original"} <= fields
    assert fields <= declared
    assert all(not schema.get("readOnly") for schema in contract.operations["patch_course"].fields.values())
    assert contract.operations["get_course"].fields == {}


def test_choices_are_parameters_and_fields_with_several_values(contract: Contract) -> None:
    """Including those of the items of a list; a single value leaves no choice."""
    search, create = contract.operations["search_courses"], contract.operations["create_course"]
    assert {"creator", "manager", "joined", "invited", "requested"} <= set(search.choices["statuses"])
    assert set(create.choices) == {"type", "privacy"}
    assert "limit" not in search.choices


def test_the_kinds_that_a_path_names_are_in_its_order(contract: Contract) -> None:
    operation = contract.operations["make_course_attempt"]
    assert list(operation.loads.values()) == ["course", "section", "quiz"]
    assert [f"{{{operation.named[kind]}}}" for kind in operation.loads.values()] == [
        part for part in operation.path.split("/") if part.startswith("{")
    ]


def test_guarded_parameters_are_those_that_not_everybody_may_give(contract: Contract) -> None:
    """R108-R110: in get_course, the view and the user to emulate."""
    assert [parameter.name for parameter in contract.operations["get_course"].guarded] == ["view", "user"]
    assert contract.operations["search_courses"].guarded == []


def test_what_is_kept_otherwise_is_known_of_a_body(contract: Contract) -> None:
    """R020, R029: blanks around texts are dropped, also within lists of objects, and date-times are stored as such."""
    section = contract.operations["create_course_section"].bodies["application/json"]
    assert section.texts == {"name"}
    assert (section.moments, section.lists) == (("dripped_at",), ())
    assert contract.operations["create_course_question"].bodies["application/json"].lists == ("answers",)
    token = contract.operations["oauth_token"].bodies["application/json"]
    assert set(token.texts) == {"client_id", "username", "redirect_uri", "scope"}


def test_parameters_are_known_by_their_names(contract: Contract) -> None:
    """Both query parameters and headers count; path parameters do not."""
    assert contract.operations["get_course"].parameter_names == {"view", "user"}
    assert contract.operations["upload_media_chunk"].parameter_names == {"Content-Range"}
