"""The contract of the API is complete: every operation, parameter, field, answer, link, source and rule."""

import re
from typing import Any

import pytest
from openapi_spec_validator import validate

from stubserver.api.guards import GUARDS
from stubserver.contract.contract import Contract
from stubserver.contract.merging import merge
from stubserver.contract.resources import folder
from tests.sources import SOURCES
from tests.support.documents import declared, nodes

DOCS = "https://developers.selfcommunity.com/docs/"
MEDIA = {"application/json", "application/x-www-form-urlencoded", "multipart/form-data"}
ORIGINS = {"docs", "client", "ui", "history", "measured", "framework", "inferred"}
TOKENS = {"oauth_token", "revoke_token", "verify_token"}
"""Operations that take no token."""
SURE = {"certain", "high", "medium", "low"}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests that take `name` and `raw` run once per operation."""
    if {"name", "raw"} <= set(metafunc.fixturenames):
        found = [raw for _, _, raw in declared(merge(folder("openapi")))]
        metafunc.parametrize(
            ("name", "raw"), [(raw["operationId"], raw) for raw in found], ids=lambda part: str(part)[:40]
        )


# Completeness


def test_the_document_is_valid_openapi(document: dict[str, Any]) -> None:
    validate(document)


def test_every_operation_says_what_it_is(name: str, raw: dict[str, Any], document: dict[str, Any]) -> None:
    assert raw["summary"].strip()
    assert raw["description"].strip()
    assert raw["externalDocs"]["url"].startswith(DOCS)
    assert len(raw["tags"]) == 1
    assert raw["tags"][0] in {tag["name"] for tag in document["tags"]}
    if name in TOKENS:
        assert raw["security"] == []  # these callers have no token yet
    else:
        assert raw["security"] in ([{"bearerAuth": []}], [{"bearerAuth": []}, {}])
    assert raw["x-access"] in GUARDS
    assert raw["x-rules"]
    assert set(raw["x-rules"]) <= set(document["x-rules"])
    assert raw["x-rules"] == sorted(set(raw["x-rules"]))


def test_every_operation_declares_its_answers(name: str, raw: dict[str, Any], contract: Contract) -> None:
    answers = {status: contract.resolve(answer) for status, answer in raw["responses"].items()}
    parameters = [contract.resolve(parameter) for parameter in raw.get("parameters", [])]
    places = {parameter["in"] for parameter in parameters}
    assert len([status for status in answers if status.startswith("2")]) == 1
    assert {"401", "406"} <= set(answers)
    assert ("404" in answers) == ("path" in places)
    assert ("400" in answers) == bool({"query", "header"} & places or "requestBody" in raw)
    assert ({"413", "415"} <= set(answers)) == ("requestBody" in raw)
    assert set(answers) <= {"200", "201", "204", "400", "401", "403", "404", "406", "413", "415"}
    for status, answer in answers.items():
        if status >= "400":
            oauth = name in ("oauth_token", "revoke_token") and status in ("400", "401")
            schema = answer["content"]["application/json"]["schema"]["$ref"].removeprefix("#/components/schemas/")
            assert schema == ("OAuthErrorResponse" if oauth else "ErrorResponse")
        elif status != "204" and name not in ("revoke_token", "verify_token"):  # the docs show no body for these
            assert set(answer["content"]) == {"application/json"}
            assert {"example", "examples"} & set(answer["content"]["application/json"])
        else:
            assert "content" not in answer
    if raw["x-access"] in ("manager", "roster", "author"):
        assert "403" in answers


def test_every_body_comes_in_three_media_types(name: str, raw: dict[str, Any], contract: Contract) -> None:
    if "requestBody" not in raw:
        return
    body = contract.resolve(raw["requestBody"])
    assert body["required"] is True
    assert set(body["content"]) == ({"multipart/form-data"} if name == "upload_media_chunk" else MEDIA)
    nested = {"answers", "responses"} & set(
        contract.resolve(next(iter(body["content"].values()))["schema"])["properties"]
    )
    for media, content in body["content"].items():
        assert {"example", "examples"} & set(content) or (nested and media != "application/json")  # R012


def test_every_parameter_is_described(name: str, raw: dict[str, Any], contract: Contract) -> None:
    for parameter in (contract.resolve(parameter) for parameter in raw.get("parameters", [])):
        assert parameter["description"].strip()
        assert parameter["in"] in ("query", "header") or parameter["x-loads"]
        access = parameter.get("x-access", {})
        guards = access.values() if isinstance(access, dict) else [access]
        assert set(guards) <= set(GUARDS)
    path = next(path for path, _, found in declared(contract.document) if found["operationId"] == name)
    in_path = {p["name"] for p in map(contract.resolve, raw.get("parameters", [])) if p["in"] == "path"}
    assert in_path == set(re.findall(r"\{(\w+)\}", path))


def test_links_lead_somewhere(document: dict[str, Any], contract: Contract) -> None:
    known = set(contract.operations)
    links = [link for node in nodes(document) if "links" in node for link in node["links"].values()]
    targets = [contract.resolve(link)["operationId"] for link in links]
    assert set(targets) <= known
    (create,) = (raw for _, _, raw in declared(document) if raw["operationId"] == "create_course")
    followed = {contract.resolve(link)["operationId"] for link in create["responses"]["201"]["links"].values()}
    assert followed >= {"get_course", "update_course", "patch_course", "delete_course", "join_course"}
    for link in map(contract.resolve, links):
        (path,) = (o.path for o in contract.operations.values() if o.id == link["operationId"])
        assert set(link.get("parameters", ())) >= set(re.findall(r"\{(\w+)\}", path))


def test_every_example_fits_its_schema(document: dict[str, Any], contract: Contract) -> None:
    tried = 0
    for node in nodes(document):
        if "schema" not in node:
            continue
        examples = [contract.resolve(example)["value"] for example in node.get("examples", {}).values()]
        examples += [node["example"]] if "example" in node else []
        for example in examples:
            assert list(contract.validator(node["schema"]).problems(example)) == []
            tried += 1
    assert tried >= 50


def test_a_name_must_have_a_character_to_see(contract: Contract) -> None:
    """R018: what Python takes for whitespace is not enough; in the pattern it is spelt so that every dialect, and every
    tool that copies it into code, takes it for the same."""
    name = contract.schema("CoursePatch")["properties"]["name"]
    assert ascii(name["pattern"]) == repr(name["pattern"])
    assert "u2028" not in name["pattern"]  # some tools write it as a line break
    validator = contract.validator(name)
    for character in map(chr, [*range(0xD800), *range(0xE000, 0x11000)]):
        expected = bool(character.strip()) and character != "\0"
        assert validator.fits(character) is expected, ascii(character)
        assert bool(re.search(name["pattern"], character)) is expected, ascii(character)


def test_only_what_is_new_has_defaults(document: dict[str, Any]) -> None:
    """R021: tools would reset what a change leaves out."""
    schemas = document["components"]["schemas"]
    changes = [name for name in schemas if re.search(r"(Patch|Update)(Form)?$", name)]
    assert len(changes) == 12
    for name in changes:
        assert [field for field, part in schemas[name]["properties"].items() if "default" in part] == []
        assert ("required" in schemas[name]) is ("Update" in name and name != "CommentUpdate")


def test_bodies_of_links_are_texts(document: dict[str, Any]) -> None:
    """Some tools refuse anything else."""
    bodies = [node["requestBody"] for node in nodes(document) if "operationId" in node and "responses" not in node
              and "requestBody" in node]  # fmt: skip
    assert len(bodies) == 4
    assert {type(body) for body in bodies} == {str}


def test_every_component_is_used(document: dict[str, Any]) -> None:
    used = {node["$ref"] for node in nodes(document) if isinstance(node.get("$ref"), str)}
    kinds = {kind: parts for kind, parts in document["components"].items() if kind != "securitySchemes"}
    made = {f"#/components/{kind}/{name}" for kind, parts in kinds.items() for name in parts}
    assert used == made


def test_every_property_is_described(document: dict[str, Any]) -> None:
    bare = [
        f"{schema}.{name}"
        for schema, body in document["components"]["schemas"].items()
        for node in nodes(body)
        for name, part in node.get("properties", {}).items()
        if isinstance(part, dict) and "$ref" not in part and not part.get("description")
    ]
    assert bare == []


# Sources and rules


def test_every_source_says_how_sure_it_is(document: dict[str, Any]) -> None:
    for node in nodes(document):
        if "x-source" in node:
            source = node["x-source"]
            assert set(source) == {"from", "sure", "rule"}, source
            assert source["from"]
            assert set(source["from"]) <= ORIGINS
            assert source["sure"] in SURE
            assert source["rule"] in document["x-rules"]
            if source["from"] == ["inferred"]:
                assert source["sure"] != "certain"


def test_the_book_of_rules_is_well_formed(document: dict[str, Any]) -> None:
    for code, rule in document["x-rules"].items():
        assert re.fullmatch(r"R[0-9]{3}", code)
        assert rule["topic"]
        assert rule["rule"].strip()
        assert rule["sure"] in SURE
        assert {origin.split(":")[0] for origin in rule["source"]} <= ORIGINS, code
        assert ("status" in rule) == ("code" in rule) == ("violation_sure" in rule), code
        assert set(rule) <= {"topic", "rule", "source", "sure", "status", "code", "violation_sure", "scope", "note"}
        assert rule.get("scope", "background") in ("background", "all operations")


def test_every_rule_is_cited(document: dict[str, Any]) -> None:
    book = document["x-rules"]
    cited = {code for _, _, raw in declared(document) for code in raw["x-rules"]}
    cited |= {node["x-source"]["rule"] for node in nodes(document) if "x-source" in node}
    assert cited <= set(book)
    assert {code for code, rule in book.items() if "scope" not in rule} - cited == set()


def test_rules_that_the_code_cites_exist(document: dict[str, Any]) -> None:
    for name, file in SOURCES.items():
        assert set(re.findall(r"\bR[0-9]{3}\b", file.read_text(encoding="utf-8"))) <= set(document["x-rules"]), name


# Code


def test_statuses_are_on_the_vendors_list(name: str, raw: dict[str, Any]) -> None:
    """R019: every refusal has a status from the vendor's list; 413 and 415 are the exceptions, as nothing on it
    fits."""
    vendor = {400, 401, 403, 404, 405, 406, 410, 429, 500, 503}
    refusals = {int(status) for status in raw["responses"] if int(status) >= 400}
    assert refusals - vendor <= {413, 415}, name
