"""The plugin's options, checked before the first test: whatever would fail every test is refused in one line."""

import os
import uuid
from argparse import ArgumentError
from contextlib import closing
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit

import pytest

from stubserver import __version__

if TYPE_CHECKING:  # pytest loads this module in every run, so it imports as little as possible
    from stubserver.testing import Stub

_OPTIONS: dict[str, dict[str, Any]] = {
    "--stub-fixture": {"metavar": "NAME", "help": "fixture that worlds start from: a name or a file"},
    "--stub-fixture-dir": {"metavar": "DIR", "help": "folder with fixtures of your own, for worlds that ask for them"},
    "--stub-url": {"metavar": "URL", "help": "use a running server, which others may use at the same time"},
    "--stub-token": {"metavar": "TOKEN", "help": "token for its control plane (or set STUBSERVER_CONTROL_TOKEN)"},
    "--stub-strict": {"action": "store_true", "help": "refuse what the contract's types do not allow"},
    "--stub-in-process": {"action": "store_true", "help": "serve in the process of the tests, without a socket"},
    "--stub-artifacts": {"metavar": "DIR", "help": "write a case file of each failed test, for `stubserver replay`"},
    "--stub-coverage": {"metavar": "FILE", "help": "write a coverage report (.json, .html, .xml, .txt)"},
}
TOKEN_VARIABLE = "STUBSERVER_CONTROL_TOKEN"  # noqa: S105 (the name of a variable)
"""Environment variable that stands for `--stub-token`, as for the commands."""
_LIKE = "write it like http://127.0.0.1:8765"


@dataclass(frozen=True)
class Shared:
    """The server that `--stub-url` names, as it was before the first test."""

    url: str
    token: str | None
    version: str
    coverage: dict[str, Any]
    """What had been exercised of the contract."""
    run: str = field(default_factory=lambda: uuid.uuid4().hex)
    """Distinguishes this run from others that use the server."""

    @property
    def warnings(self) -> list[str]:
        """What users must know about it: whether its version is another one than that of the plugin."""
        if self.version == __version__:
            return []
        return [f"the stub server at {self.url} has version {self.version}, but this plugin has {__version__}"]

    def covered(self) -> dict[str, Any]:
        """What has been exercised of the contract since then, by this run or by others: a Coverage of the control
        plane's contract. Raises StubError."""
        from stubserver.reports.coverage_report import since
        from stubserver.testing import Stub

        with closing(Stub(self.url, self.token)) as stub:
            return since(stub.coverage(), self.coverage)


def add(parser: pytest.Parser) -> None:
    """Declare the options. Raises pytest.UsageError if another plugin has one of them."""
    group = parser.getgroup("stubserver", "stub server for the SelfCommunity Course API")
    for name, settings in _OPTIONS.items():
        try:
            group.addoption(name, **settings)
        except (ValueError, ArgumentError) as error:
            raise clash(error) from None


def clash(error: Exception) -> Exception:
    """What to raise instead of `error` if it says that one of the plugin's options is declared twice; else itself."""
    name = next((name for name in _OPTIONS if name in str(error)), None)
    if name is None:
        return error
    ways = "rename the other one, or switch the plugin off with -p no:stubserver"
    return pytest.UsageError(f"{name} is an option of the pytest plugin stubserver and of something else: {ways}")


def given(options: Any) -> list[str]:
    """The names of those options that a run was started with."""
    values = {name: getattr(options, name.strip("-").replace("-", "_"), None) for name in _OPTIONS}
    return [name for name, value in values.items() if value not in (None, False)]


def artifacts(config: pytest.Config) -> Path | None:
    """The folder for case files, if they are wanted."""
    folder = config.option.stub_artifacts
    return None if folder is None else config.invocation_params.dir / folder


def check(options: Any) -> Shared | None:
    """Check the options, the namespace in which pytest keeps them; returns the server that `--stub-url` names, if any.

    Raises pytest.UsageError.
    """
    if options.stub_coverage is not None:
        _check_report(options.stub_coverage)
    if options.stub_artifacts is not None:
        _check_artifacts(options.stub_artifacts)
    if options.stub_url is not None:
        return _shared(options)
    if options.stub_token is not None:
        _refuse("--stub-token", "there is no server to send it to; name one with --stub-url")
    if options.stub_fixture is not None or options.stub_fixture_dir is not None:
        _check_fixture(options.stub_fixture, options.stub_fixture_dir)
    return None


def _refuse(option: str, reason: str) -> NoReturn:
    raise pytest.UsageError(f"{option}: {' '.join(reason.split())[:500]}")


def _check_report(file: str) -> None:
    from stubserver.reports.coverage_report import format_of

    try:
        format_of(file)
        is_new = not Path(file).exists()
        with Path(file).open("a", encoding="utf-8"):
            pass
        if is_new:
            Path(file).unlink()  # a run that asks no server writes none
    except OSError as error:
        _refuse("--stub-coverage", f"cannot write {file}: {error.strerror}")
    except ValueError as error:
        _refuse("--stub-coverage", str(error))


def _check_artifacts(folder: str) -> None:
    from stubserver.reports import artifacts

    if not folder:
        _refuse("--stub-artifacts", "the name of the folder is empty; . is the current one")
    try:
        artifacts.check(Path(folder))
    except OSError as error:
        _refuse("--stub-artifacts", f"cannot write to {folder}: {error.strerror}")


def _check_fixture(name: str | None, folder: str | None) -> None:
    from stubserver.contract.load import load_contract
    from stubserver.fixtures.mistakes import FixtureError
    from stubserver.fixtures.supply import Supply

    if folder == "":
        _refuse("--stub-fixture-dir", "the name of the folder is empty; . is the current one")
    supply = Supply(load_contract(), "default" if name is None else name, Path(folder) if folder else None)
    option = "--stub-fixture-dir"
    try:
        supply.check()
        option = "--stub-fixture"
        supply.first(None)
    except FixtureError as error:
        raise pytest.UsageError(f"{option}: {error}") from None


def _shared(options: Any) -> Shared:
    """Connect to the server of `--stub-url`."""
    from stubserver.testing import Stub, StubError

    if options.stub_in_process:
        _refuse("--stub-url", "the server runs already, so leave out --stub-in-process")
    if options.stub_fixture_dir is not None:
        _refuse("--stub-url", "the server runs already: start it with --fixture-dir instead of --stub-fixture-dir")
    _check_url(options.stub_url)
    token = _token(options.stub_token)
    try:
        with closing(Stub(options.stub_url, token)) as stub:
            version = _version(stub)
            if options.stub_fixture is not None:
                _check_fixture_of(stub, options.stub_fixture)
            return Shared(stub.url, token, version, stub.coverage())
    except StubError as error:
        if error.status == HTTPStatus.UNAUTHORIZED and token is None:
            _refuse("--stub-url", f"{options.stub_url} needs its token: give --stub-token, or set {TOKEN_VARIABLE}")
        if error.status == HTTPStatus.UNAUTHORIZED:
            _refuse("--stub-token", f"this is not the token of {options.stub_url}, which it printed when it started")
        _refuse("--stub-url", str(error))


def _check_url(url: str) -> None:
    import httpx

    try:
        httpx.URL(url)
        parts = urlsplit(url)
        wrong = parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0 or " " in url
    except (ValueError, httpx.InvalidURL) as error:
        _refuse("--stub-url", f"{url!r} is no URL: {error}; {_LIKE}")
    if wrong:
        _refuse("--stub-url", f"{url!r} is not the URL of a server; {_LIKE}")
    if "@" in parts.netloc:
        _refuse("--stub-url", "leave out the user and the password; the token goes into --stub-token")
    if rest := url.removeprefix(f"{parts.scheme}://{parts.netloc}").removeprefix("/"):
        _refuse("--stub-url", f"leave out {rest!r}: each test has a world of its own; {_LIKE}")


def _token(given: str | None) -> str | None:
    """The token for the control plane: from the option, or from the environment."""
    origin, token = ("--stub-token", given) if given is not None else (TOKEN_VARIABLE, os.environ.get(TOKEN_VARIABLE))
    if token is None or (token and token.isascii() and token.isprintable() and " " not in token):
        return token
    _refuse(origin, "a token is one or more visible ASCII characters, without blanks")


def _version(stub: "Stub") -> str:
    """The version of the server. Raises StubError if it cannot be reached, or is no stub server."""
    return str(stub.control("GET", "/version")["version"])


def _check_fixture_of(stub: "Stub", name: str) -> None:
    """Whether a server has a fixture shows when a world is made from it."""
    from stubserver.plugin.worlds import Run
    from stubserver.testing import StubError

    world = Run(uuid.uuid4().hex).name("fixture", "check")
    try:
        stub.control("POST", "/worlds", json={"name": world, "fixture": name})
        stub.control("DELETE", f"/worlds/{world}")
    except StubError as error:
        _refuse("--stub-fixture", f"the server at {stub.url} refuses it: {error}")
