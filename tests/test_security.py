"""SECURITY.md: every sentence of what is promised has a test that proves the side effect absent.

Most are where they belong. Here is the map from sentences to tests, and what no room can prove alone: that requests
make the server run nothing, open no file and connect to nothing.
"""

import ast
import contextlib
import json
import re
import socket
import sys
from collections.abc import Iterator, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx
import pytest

import stubserver
from stubserver.cli import main
from stubserver.contract.contract import Contract
from stubserver.reports.explain import story
from tests.sources import ROOT
from tests.support.answers import ok
from tests.support.client import Api
from tests.support.commands import Served
from tests.support.control import CONTROL
from tests.support.executing import execute, script
from tests.support.journal import newest
from tests.support.payloads import Canary, attacks, innocent, send
from tests.support.tokens import APP, SERVER_APP, TOKEN, WREN, basic, grant, signed

HERE = "tests/test_security.py::"
VISITORS = "tests/pipeline/test_visitors.py::"
PROXIES = "tests/pipeline/test_proxies.py::"
GUARD = "tests/pipeline/test_protection.py::"
ORIGINS = "tests/pipeline/test_protection_origins.py::"
DOCUMENTS = "tests/pipeline/test_protection_documents.py::"
METRICS = "tests/pipeline/test_protection_metrics.py::"
STORED = "tests/shared/test_journal.py::"
SECRETS = "tests/control/test_request_view_secrets.py::"
REGISTRY = "tests/worlds/test_registry.py::"
PROXY = "tests/checking/test_proxy.py::"
HOME = "tests/pages/test_home.py::"
NOT_OURS = "a fact about others, which no test of ours can prove"
PROVED: dict[str, Sequence[str]] = {
    # Loopback by default
    "The server listens on 127.0.0.1": [
        HERE + "test_by_default_no_other_address_is_listened_to",
        HERE + "test_another_host_is_warned_about",
    ],
    # No way in under a false name
    "Over a socket the server answers to": [
        VISITORS + "test_it_does_not_answer_to_other_names",
        VISITORS + "test_a_rebound_name_reaches_nothing",
        VISITORS + "test_it_answers_to_the_names_it_was_started_with",
    ],
    "So a foreign name that was made to resolve": [
        VISITORS + "test_a_rebound_name_reaches_nothing",
        GUARD + "test_a_name_resolved_to_a_guarded_machine_needs_the_token",
    ],
    "`--allowed-host '*'` gives this up": [VISITORS + "test_it_may_answer_to_any_host"],
    # Foreign pages make no worlds
    "What a page of another site makes a browser send": [
        VISITORS + "test_a_page_of_another_site_makes_no_world",
        VISITORS + "test_it_does_not_call_the_api_of_a_world_that_exists",
        VISITORS + "test_it_may_show_the_pictures_of_a_world_that_exists",
        VISITORS + "test_pages_that_may_call_and_all_tools_are_let_in",
    ],
    "Browsers tell the site only to servers on this machine": [NOT_OURS],
    # No proxy is believed unasked
    "`X-Forwarded-*` and `Forwarded` count only": [
        PROXIES + "test_by_default_no_proxy_is_trusted",
        PROXIES + "test_nobody_else_tells_anything",
        PROXIES + "test_what_a_trusted_proxy_may_tell",
    ],
    # A closed control plane
    "Pages of other origins may not use `/__stub/`": [
        GUARD + "test_a_foreign_page_changes_nothing",
        GUARD + "test_a_foreign_page_makes_no_world_and_reads_nothing",
        ORIGINS + "test_origins_of_the_api_do_not_use_the_control_plane",
        ORIGINS + "test_a_page_of_any_other_origin_does_nothing",
    ],
    "Without a token it only answers to": [
        GUARD + "test_a_foreign_page_changes_nothing",
        VISITORS + "test_an_allowed_host_does_not_open_the_control_plane",
        VISITORS + "test_an_allowed_host_that_a_proxy_tells_does_not_either",
    ],
    "If the server listens on any other address": [
        "tests/cli/test_cli.py::test_a_token_is_generated_unless_only_this_machine_can_come_in",
        GUARD + "test_without_its_token_a_guarded_server_does_nothing",
    ],
    "Only the server's health, probes and version need none": [
        DOCUMENTS + "test_health_and_version_need_no_token",
        DOCUMENTS + "test_what_needs_no_token_tells_no_secret",
        DOCUMENTS + "test_only_reading_needs_no_token",
        DOCUMENTS + "test_what_looks_like_them_needs_the_token",
    ],
    "The token of `--metrics-token` opens the metrics": [
        METRICS + "test_a_scraper_needs_a_token_where_there_is_one",
        METRICS + "test_the_token_of_the_metrics_opens_nothing_else",
        METRICS + "test_a_foreign_page_reads_no_metrics",
    ],
    # Nothing to gain from a browser that knows the token
    "Its documents, and nothing else, also open with HTTP Basic": [
        DOCUMENTS + "test_the_documents_open_with_the_token_as_password",
        DOCUMENTS + "test_what_is_no_document_does_not_open_with_a_password",
        DOCUMENTS + "test_a_token_in_the_address_opens_nothing",
    ],
    "A browser repeats a Basic password by itself": [NOT_OURS],
    "So Basic only reads documents": [
        DOCUMENTS + "test_what_a_browser_sends_by_itself_opens_no_operation",
        DOCUMENTS + "test_what_a_browser_sends_by_itself_only_reads",
        DOCUMENTS + "test_the_page_asks_for_the_token_of_its_operations",
    ],
    "Other sites are refused in any case": [
        DOCUMENTS + "test_another_site_gets_no_document_through_the_browser",
        GUARD + "test_the_token_does_not_let_foreign_pages_in",
    ],
    # An inspector that runs only its own script
    "The page at `/` asks no other server": [
        HOME + "test_the_page_lets_in_nothing_foreign",
        HOME + "test_its_parts_are_served_and_name_no_other_host",
        HOME + "test_a_hostile_name_of_a_world_is_never_in_the_page",
    ],
    "It changes things only through the control plane": [
        GUARD + "test_the_token_does_not_let_foreign_pages_in",
        GUARD + "test_every_operation_refuses_as_it_declares",
    ],
    "To open it makes no world": [HOME + "test_whoever_looks_makes_no_world"],
    # No outbound calls
    "The server never connects to anything, except to the Redis": [
        HERE + "test_no_request_makes_the_server_do_anything_but_answer"
    ],
    "URLs in requests and fixtures are stored and returned": [
        HERE + "test_no_request_makes_the_server_do_anything_but_answer",
        HERE + "test_urls_are_stored_and_returned",
    ],
    # A proxy to one server
    "`stubserver proxy` connects to its `--upstream`": [
        PROXY + "test_what_is_not_for_the_server_is_refused",
        PROXY + "test_redirects_are_not_followed",
    ],
    "Its reports have no credentials": ["tests/checking/test_observer.py::test_no_report_has_credentials"],
    # Nothing from a request is executed
    "No `eval`, no templates made of input": [
        HERE + "test_no_request_makes_the_server_do_anything_but_answer",
        HERE + "test_no_module_evaluates_text",
        REGISTRY + "test_a_fixture_that_there_is_not",
        "tests/fixtures/test_supply.py::test_requests_name_no_files",
        "tests/worlds/test_snapshot_file.py::test_load_snapshot_refuses_a_file_of_a_fixture_that_there_is_not",
    ],
    "Pages for browsers escape what they show": [
        "tests/pages/test_consent.py::test_authorize_escapes_names",
        "tests/pages/test_documents.py::test_what_comes_from_a_fixture_is_shown_as_it_is",
        "tests/pages/test_documents.py::test_no_parameter_leads_elsewhere",
        "tests/reports/test_coverage_html.py::test_html_escapes_every_name",
    ],
    "An uploaded file is shown only if it is a picture": [
        "tests/api/test_pictures.py::test_any_other_file_is_refused",
        "tests/api/test_pictures.py::test_a_picture_is_shown_as_it_was_sent",
        "tests/api/test_pictures.py::test_a_row_that_no_server_has_written_is_not_served",
        "tests/api/test_pictures.py::test_a_file_is_read_in_a_bounded_number_of_steps",
        "tests/api/test_pictures.py::test_a_picture_may_be_large_but_no_bomb",
    ],
    "What is kept between two starts (`STUBSERVER_CACHE`) is data": [
        "tests/fixtures/test_large.py::test_nothing_in_it_is_executed"
    ],
    # Bounds
    "Whatever requests can make grow has a limit": [
        "tests/pipeline/test_wire.py::test_a_body_may_be_so_large",
        "tests/worlds/test_world.py::test_a_world_takes_no_more_bytes_than_it_may",
        "tests/worlds/test_world.py::test_a_full_world_refuses_and_keeps_nothing",
        REGISTRY + "test_the_world_that_was_idle_for_longest_makes_room_for_bytes",
        REGISTRY + "test_snapshots_take_half_of_the_memory",
        "tests/records/test_journal.py::test_all_worlds_share_a_number_of_bytes",
        "tests/records/test_journal.py::test_each_world_has_a_quota",
    ],
    "[Bounds](docs/control-plane.md#bounds) says what counts": [
        "tests/worlds/test_size.py::test_a_long_text_counts_in_full_wherever_it_stands",
        "tests/test_documents.py::test_every_link_leads_somewhere",
    ],
    "The limits are in `stubserver/settings.py`": [
        "tests/test_settings.py::test_every_setting_is_an_option_of_the_command",
        "tests/control/test_server.py::test_get_health_tells_the_bounds_and_no_secret",
    ],
    "Requests that are being answered come on top": [
        "tests/lane/test_connection.py::test_nothing_is_read_while_requests_wait"
    ],
    # No secrets in the journal
    "Passwords, client secrets, the control token, JWTs": [
        SECRETS + "test_credentials_are_never_shown",
        SECRETS + "test_credentials_of_requests_that_met_a_fault_are_never_shown",
        SECRETS + "test_granted_tokens_and_codes_are_never_shown",
        HERE + "test_no_secret_is_in_the_story_of_a_request",
        HERE + "test_no_secret_is_in_the_journal_in_a_file",
        "tests/exports/test_har.py::test_there_are_no_credentials",
        "tests/exports/test_pact.py::test_there_are_no_credentials",
    ],
    "Personas are named by their tokens there": [HERE + "test_no_secret_is_in_the_story_of_a_request"],
    "A file or Redis that `--store` names holds requests as they were sent": [
        STORED + "test_the_store_has_requests_as_they_were_sent"
    ],
}
"""How each sentence begins -> the tests that prove it."""


# The map


def sentences() -> list[str]:
    """What is promised, without the words in bold that the promises begin with."""
    section = (ROOT / "SECURITY.md").read_text().partition("## What is promised\n")[2].partition("\nA request that")[0]
    promises = re.findall(r"- \*\*[^*]+\*\* (.+?)(?=\n- \*\*|\Z)", section, re.DOTALL)
    assert len(promises) == section.count("\n- ")
    return [part for text in promises for part in re.split(r"(?<=[.:]) (?=[A-Z`\[])", " ".join(text.split())) if part]


def test_every_sentence_has_its_tests_and_no_other() -> None:
    found = {text: [start for start in PROVED if text.startswith(start)] for text in sentences()}
    assert {text: starts for text, starts in found.items() if len(starts) != 1} == {}
    assert [start for starts in found.values() for start in starts] == [*PROVED]


@pytest.mark.parametrize("name", sorted({name for names in PROVED.values() for name in names} - {NOT_OURS}))
def test_the_tests_exist(name: str) -> None:
    file, _, function = name.partition("::")
    tree = ast.parse((ROOT / file).read_text())
    assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


# Loopback by default


@pytest.mark.slow
def test_by_default_no_other_address_is_listened_to(plain: Served) -> None:
    """Not even another loopback address."""
    port = int(plain.url.rpartition(":")[2])
    socket.create_connection(("127.0.0.1", port), 5).close()
    for host in ("127.0.0.2", socket.gethostbyname(socket.gethostname())):
        if host != "127.0.0.1":
            with pytest.raises(OSError, match=r"refused|unreachable|timed out"):
                socket.create_connection((host, port), 5)


@pytest.mark.parametrize(("host", "warned"), [("0.0.0.0", True), ("127.0.0.1", False), ("localhost", False)])
def test_another_host_is_warned_about(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], host: str, warned: bool
) -> None:
    monkeypatch.setattr("stubserver.serving.server.serve", lambda _, listener, *__, **___: listener.close())
    main(["serve", "--port", "0", "--host", host], standalone_mode=False)
    assert (f"stubserver: {host} lets other machines in" in capsys.readouterr().err) == warned


# No outbound calls, nothing executed, no files


@pytest.fixture
def canary(tmp_path: Path) -> Iterator[Canary]:
    with contextlib.closing(Canary(tmp_path)) as canary:
        assert canary.untouched
        yield canary


OWN = tuple(map(str, (Path(stubserver.__file__).parent, sys.prefix, sys.base_prefix, ROOT)))
"""Where the files of the server and of its libraries are."""
ROUNDS = 5
"""How many of the payloads each place gets; which, differs from place to place."""


def reads_own(event: Sequence[Any]) -> bool:
    """Whether a note says that one of these files is read, or a folder of them listed."""
    name, path, *more = event
    reading = name in ("os.listdir", "os.scandir") or (name == "open" and more[0] in ("r", "rb"))
    return reading and str(path).startswith(OWN)


@pytest.mark.slow
@pytest.mark.untraced
def test_no_request_makes_the_server_do_anything_but_answer(tmp_path: Path, contract: Contract, canary: Canary) -> None:
    """While it takes each attack, Python notes what the server's process opens, runs and connects to; nothing but what
    it also does for innocent requests, which is to read files of its own."""
    notes = tmp_path / "notes"
    served = Served(tmp_path, command=[sys.executable, "-m", "tests.support.audited", str(notes)])
    with contextlib.closing(httpx.Client(base_url=served.url, timeout=60)) as client, contextlib.ExitStack() as stack:
        stack.callback(served.end)
        for _ in range(2):
            for number, options in enumerate(innocent([contract, CONTROL])):
                send(client, number, options)
        usual = notes.read_text().splitlines()
        payloads = cycle(canary.payloads)
        sent = [options for _ in range(ROUNDS) for options in attacks([contract, CONTROL], payloads)]
        for number, options in enumerate(sent):
            send(client, number, options)
        assert client.get("/__stub/health").json()["status"] == "ok"
    assert len(sent) > 1000
    more = [json.loads(line) for line in notes.read_text().splitlines()[len(usual) :]]
    assert [event for event in more if not reads_own(event)] == []
    kinds = {json.loads(line)[0] for line in usual}
    assert {"open", "exec", "import"} <= kinds, "the notes would have shown it"
    assert not {kind for kind in kinds if kind.startswith(("subprocess", "socket.connect", "os.exec", "os.system"))}
    assert canary.untouched


def test_urls_are_stored_and_returned(api: Api, canary: Canary) -> None:
    """And nobody looks whether they lead anywhere."""
    text = f'<iframe src="{canary.payloads[0]}"></iframe>'
    course = {"name": "Knots", "type": "self-paced", "description": text}
    made = ok(api.as_("creator").post("/course/", json=course), 201)
    assert ok(api.as_("creator").get(f"/course/{made['id']}/"))["description"] == text
    assert canary.untouched


EVALUATORS = {"eval", "exec", "compile", "__import__"}


def test_no_module_evaluates_text() -> None:
    """`re.compile` is another one."""
    for file in Path(stubserver.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in EVALUATORS, f"{file}:{node.lineno}"


# No secrets in the journal


def test_no_secret_is_in_the_story_of_a_request(api: Api, contract: Contract) -> None:
    """The caller is named by the token of its persona, which everybody knows."""
    pair = grant(api)
    sent = signed()
    for token in (sent, pair["access_token"], "stub-creator"):
        api.get("/user/me/", headers={"Authorization": f"Bearer {token}"})
        told = story(newest(api), contract, "http://localhost:8765", ["stub-creator"])
        assert (token in told) == (token == "stub-creator")
    for options in (
        {"json": {**WREN, **SERVER_APP}},
        {"data": WREN, "headers": basic(SERVER_APP["client_id"], SERVER_APP["client_secret"])},
        {"json": {**APP, "grant_type": "refresh_token", "refresh_token": pair["refresh_token"]}},
    ):
        api.post(TOKEN, **options)
        told = story(newest(api), contract, "http://localhost:8765", ["stub-creator"])
        for secret in (WREN["password"], SERVER_APP["client_secret"], pair["refresh_token"]):
            assert secret not in told


@pytest.mark.slow
@pytest.mark.untraced
def test_no_secret_is_in_the_journal_in_a_file(tmp_path: Path) -> None:
    """Of `stubserver exec`; and the control token, sent where it does not belong, is not either."""
    use = f"""
pair = ask("POST", "/oauth/token/", body={ {**WREN, **SERVER_APP}!r})
open("token", "w").write(pair["access_token"] + " " + pair["refresh_token"])
os.environ["STUBSERVER_TOKEN_GRANTED"] = pair["access_token"]
ask("GET", "/api/v2/user/me/", "granted")
os.environ["STUBSERVER_TOKEN_CONTROL"] = "control-hunter2"
ask("GET", "/api/v2/user/me/", "control")
"""
    done = execute("--journal", "journal", command=script(use), folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    text = (tmp_path / "journal").read_text()
    assert text.count("\n") == 3
    secrets = [
        WREN["password"],
        SERVER_APP["client_secret"],
        "control-hunter2",
        *(tmp_path / "token").read_text().split(),
    ]
    assert [secret for secret in secrets if secret in text] == []
