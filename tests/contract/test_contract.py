"""The contract is complete and true, and the code keeps to it: spec, functions, tests and literals."""

import ast
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from openapi_spec_validator import validate

from stubserver.api.guards import GUARDS
from stubserver.api.operations import FUNCTIONS
from stubserver.app import StubServer
from stubserver.contract.contract import Contract
from stubserver.contract.merging import SpecError, merge
from stubserver.contract.resources import folder
from stubserver.worlds.world import Fixture
from tests.sources import SOURCES, TEST_FILES, TREES
from tests.support.documents import declared, nodes

BEHAVIOUR = [name for name in SOURCES if name.startswith(("api.operations.", "api.views."))]
DOCS = "https://developers.selfcommunity.com/docs/"
MEDIA = {"application/json", "application/x-www-form-urlencoded", "multipart/form-data"}
ORIGINS = {"docs", "client", "ui", "history", "measured", "inferred"}
TOKENS = {"oauth_token", "revoke_token", "verify_token"}
"""Operations that no token opens."""
SURE = {"certain", "high", "medium", "low"}


@pytest.fixture(scope="module")
def document(contract: Contract) -> dict[str, Any]:
    return contract.document


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests that take `name` and `raw` run once for each operation."""
    if {"name", "raw"} <= set(metafunc.fixturenames):
        found = [raw for _, _, raw in declared(merge(folder("openapi")))]
        metafunc.parametrize(
            ("name", "raw"), [(raw["operationId"], raw) for raw in found], ids=lambda part: str(part)[:40]
        )


# Merging


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"a.yaml": "openapi: 3.0.3", "b.yaml": "openapi: 3.0.3"}, ["openapi", "a.yaml", "b.yaml"]),
        ({"a.yaml": "paths: {/x/: {get: {}}}", "b.yaml": "paths: {/x/: {get: {}}}"}, ["/x/ get", "a.yaml", "b.yaml"]),
        ({"a.yaml": "x-rules: {R1: {}}", "b.yaml": "x-rules: {R1: {}}"}, ["R1", "a.yaml", "b.yaml"]),
        (
            {"a.yaml": "components: {schemas: {X: {}}}", "b.yaml": "components: {schemas: {X: {}}}"},
            ["schemas X", "a.yaml", "b.yaml"],
        ),
        ({"a.yaml": "openapi: 3.0.3", "b.yaml": "paths: [1"}, ["b.yaml"]),
        ({"a.yaml": "- 1"}, ["a.yaml", "mapping"]),
        ({"a.yaml": ""}, ["a.yaml", "mapping"]),
        ({"a.yaml": "openapi: '\xff'".encode("latin-1")}, ["a.yaml"]),
        ({"a.yaml": "paths:"}, ["a.yaml", "paths"]),
        ({"a.yaml": "components: {schemas: [1]}"}, ["a.yaml", "components"]),
        ({}, ["no *.yaml"]),
        ({"a.json": "{}"}, ["no *.yaml"]),
    ],
)
def test_a_folder_that_cannot_be_merged(tmp_path: Path, files: dict[str, str | bytes], says: list[str]) -> None:
    for name, text in files.items():
        (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(SpecError) as caught:
        merge(tmp_path)
    assert all(part in str(caught.value) for part in says)
    assert "\n" not in str(caught.value)


def test_parts_of_different_files_are_united(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("paths: {/a/: {get: {}}}\ncomponents: {schemas: {A: {type: object}}}\n")
    (tmp_path / "b.yaml").write_text(
        "paths: {/a/: {put: {}}, /b/: {get: {}}}\ncomponents: {schemas: {B: {}}, examples: {A: {}}}\n"
    )
    assert merge(tmp_path) == {
        "paths": {"/a/": {"get": {}, "put": {}}, "/b/": {"get": {}}},
        "components": {"schemas": {"A": {"type": "object"}, "B": {}}, "examples": {"A": {}}},
    }


def minimal(**changes: Any) -> dict[str, Any]:
    answer = {"description": "Yes.", "content": {"application/json": {"schema": {"type": "object"}}}}
    operation = {"operationId": "x", "x-access": "everyone", "responses": {"200": answer}, **changes}
    return {"openapi": "3.0.3", "paths": {"/x/": {"get": operation}}}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"x-nonsense": 1}, "x-nonsense"),
        ({"parameters": [{"name": "a", "in": "query", "schema": {"type": "string", "x-odd": 1}}]}, "x-odd"),
        ({"parameters": [{"$ref": "#/components/parameters/Gone"}]}, "Gone"),
        ({"responses": {"200": {"$ref": "#/components/responses/Gone"}}}, "Gone"),
        (
            {
                "responses": {
                    "200": {
                        "description": "",
                        "content": {
                            "application/json": {"schema": {"properties": {"a": {"$ref": "#/components/schemas/Gone"}}}}
                        },
                    }
                }
            },
            "Gone",
        ),
    ],
    ids=["operation key", "nested key", "parameter", "response", "property"],
)
def test_a_contract_that_cannot_be_served(changes: dict[str, Any], says: str) -> None:
    Contract(minimal())
    with pytest.raises(SpecError, match=says):
        Contract(minimal(**changes))


def test_no_file_repeats_a_key() -> None:
    """YAML would silently take the last one."""

    def check(node: yaml.Node, where: str) -> None:
        if isinstance(node, yaml.MappingNode):
            keys = [key.value for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
            assert len(keys) == len(set(keys)), where
            for key, value in node.value:
                check(value, f"{where}/{key.value}")
        elif isinstance(node, yaml.SequenceNode):
            for value in node.value:
                check(value, where)

    for file in [*folder("openapi").glob("*.yaml"), *folder("fixtures").glob("*.yaml")]:
        check(yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.SafeLoader), file.name)


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
        assert raw["security"] == []  # whoever asks for a token has none
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
        elif status != "204" and name not in ("revoke_token", "verify_token"):  # the docs give these no body
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


# Operations, functions, tests


def test_every_operation_has_one_function_and_the_other_way_round(document: dict[str, Any]) -> None:
    names = [raw["operationId"] for _, _, raw in declared(document)]
    assert len(names) == len(set(names))
    assert set(FUNCTIONS) == set(names)
    made = [
        node.name
        for name, tree in TREES.items()
        if name.startswith("api.operations.")
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
    ]
    assert sorted(made) == sorted(names)


def test_every_operation_has_a_test(document: dict[str, Any]) -> None:
    texts = [file.read_text(encoding="utf-8") for file in TEST_FILES]
    tests = [name for text in texts for name in re.findall(r"def test_(\w+)", text)]
    names = {raw["operationId"] for _, _, raw in declared(document)}
    tested = {max((n for n in names if test.startswith(f"{n}_")), key=len, default="") for test in tests}
    assert names - tested == set()


# Code


def literals(tree: ast.AST) -> set[str]:
    """The strings of a module that are no docstrings, no texts for people and no parts of f-strings."""
    skipped = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    skipped |= {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    found = {
        n.value
        for n in ast.walk(tree)
        if isinstance(n, ast.Constant) and isinstance(n.value, str) and id(n) not in skipped
    }
    return {text for text in found if re.fullmatch(r"[a-z][a-z-]*", text)}


def test_literals_of_the_enums_are_spelt_as_in_the_contract(document: dict[str, Any]) -> None:
    """Every lower-case word in the code that decides is a value of an enum, a field, a table or a code."""
    enums = {value for node in nodes(document) if isinstance(node.get("enum"), list) for value in node["enum"]}
    fields = {
        name for node in nodes(document) for name in node.get("properties", {}) if isinstance(node["properties"], dict)
    }
    parameters = {node["name"] for node in nodes(document) if "in" in node and "name" in node}
    known = enums | fields | parameters
    known |= {rule["code"] for rule in document["x-rules"].values() if "code" in rule}
    known |= {"admin", "moderator", "editor"}  # roles of platform staff, which only fixtures name
    known |= {"courses", "categories", "-id", "course", "users", "user"}  # tables, folders of pictures, a slug
    known |= {"category", "media", "question", "attempt", "comment"}  # what refusals call rows, and kinds of rows
    known |= {"documents", "picture", "images", "logo", "covers"}  # the like for media and preferences
    known |= {
        "size",
        "kind",
        "digest",
        "challenge",
        "plain",
    }  # fields of rows that no answer shows; a kind of challenge
    known |= {"authorization", "basic"}  # a header and its scheme
    known |= {"ascii", "ignore"}  # how a name loses its accents on the way to a slug
    for name in ("api.rules", *BEHAVIOUR):
        assert literals(TREES[name]) - known == set(), name


@pytest.mark.parametrize("constant", ["MANAGING", "MEMBERS", "STUDENTS"])
def test_groups_of_statuses_are_statuses(document: dict[str, Any], constant: str) -> None:
    from stubserver.api import rules

    assert set(getattr(rules, constant)) <= set(document["components"]["schemas"]["JoinStatus"]["enum"])


def test_compared_enum_values_exist(document: dict[str, Any]) -> None:
    """What the code compares with a status, privacy or type is a value that the field can have."""
    schemas = document["components"]["schemas"]
    families = {
        "privacy": set(schemas["CoursePrivacy"]["enum"]),
        "course_type": set(schemas["CourseType"]["enum"]),
        "join_status": set(schemas["JoinStatus"]["enum"]),
        "completion_status": set(schemas["CompletionStatus"]["enum"]),
        "status": {
            *schemas["JoinStatus"]["enum"],
            *schemas["LessonStatus"]["enum"],
            *schemas["CompletionStatus"]["enum"],
        },
    }
    compared = 0
    for name in ("api.rules", "api.guards", *BEHAVIOUR):
        for node in ast.walk(TREES[name]):
            if isinstance(node, ast.Compare):
                subject, values = node.left, [c for part in node.comparators for c in ast.walk(part)]
            elif isinstance(node, ast.Match):
                subject = node.subject
                values = [c for case in node.cases for c in ast.walk(case.pattern)]
            else:
                continue
            text = ast.unparse(subject)
            family = next((known for known in families if re.search(rf"\b{known}\b|_{known}\(|{known}_in", text)), None)
            for value in values if family else []:
                if isinstance(value, ast.Constant) and isinstance(value.value, str):
                    assert value.value in families[str(family)], f"{name}: {text} {value.value!r}"
                    compared += 1
    assert compared >= 10


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_no_module_repeats_a_path(name: str) -> None:
    """Paths are the contract's business."""
    segments = {
        f"/{part}/" for part in ("course", "search", "status", "join", "invite", "request_join", "role", "suggestion")
    }
    texts = [n.value for n in ast.walk(TREES[name]) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    assert [text for text in texts if any(segment in text for segment in segments)] == []


def test_statuses_are_on_the_vendors_list(name: str, raw: dict[str, Any]) -> None:
    """R019: every refusal has a status of the vendor's list; 413 and 415 are there because nothing on it fits."""
    vendor = {400, 401, 403, 404, 405, 406, 410, 429, 500, 503}
    refusals = {int(status) for status in raw["responses"] if int(status) >= 400}
    assert refusals - vendor <= {413, 415}, name


def test_a_document_that_is_no_openapi_is_one_line(contract: Contract, default_fixture: Fixture) -> None:
    document = {**contract.document, "surprise": "a key that OpenAPI does not know"}
    with pytest.raises(SpecError, match=r"the merged document is no OpenAPI 3\.0") as caught:
        StubServer(Contract(document), default_fixture)
    assert "\n" not in str(caught.value)
