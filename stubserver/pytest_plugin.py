"""The pytest plugin: a server for the session, and a fresh world for each test that asks for one.

Fixtures `course_stub` and `course_world`; options `--stub-fixture`, `--stub-in-process` and `--stub-coverage`. Under
pytest-xdist all workers share one server, or each has its own in its process. The report of a failed test lists the
requests that it sent to its world.
"""

import hashlib
import re
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

import pytest

if TYPE_CHECKING:  # pytest loads this module in every run, so it imports as little as possible
    from stubserver.app import StubServer
    from stubserver.testing import CourseWorld, Stub

_SHARED = "stubserver_url"
_COVERAGE = "stubserver_coverage"
_DEFAULT_FIXTURE = "default"


class Hooks:
    """The hook that a project may implement in its conftest.py."""

    @pytest.hookspec(firstresult=True)
    def pytest_course_stub(self, config: pytest.Config) -> "StubServer":
        """Build the server, instead of from the options: `return create_app("default", jwt_secret="...")`."""
        raise NotImplementedError


class Running:
    """The server of this process, started on first use."""

    def __init__(self, config: pytest.Config) -> None:
        from stubserver.serving.background import Background, quietly
        from stubserver.serving.in_process import InProcess

        self.app: StubServer | None = None

        def build() -> "StubServer":
            app: StubServer = config.hook.pytest_course_stub(config=config)
            self.app = app
            return app

        self.transport: InProcess | None = None
        self._background: Background | None = None
        if config.option.stub_in_process:
            self.transport = InProcess(quietly(build))
            self.url = "http://localhost"
        else:
            self._background = Background(build)
            try:
                self.url = self._background.start()
            except Exception as error:  # the system refuses, or a library that keeps tests off the network
                raise RuntimeError(f"no socket for the stub server: {error} --stub-in-process needs none.") from None

    @property
    def error(self) -> BaseException | None:
        """What stopped the server, if it failed."""
        return self._background.error if self._background else None

    def stub(self) -> "Stub":
        """A handle for the server."""
        from stubserver.testing import Stub

        if self.transport is None:
            return Stub(self.url)
        stub = Stub(self.url, transport=self.transport, listen=self.transport.listen)
        stub.app = self.app
        return stub

    def stop(self) -> None:
        """Stop the server and release what it holds."""
        if self._background is not None:
            self._background.stop()
        if self.transport is not None:
            self.transport.close()


_RUNNING = pytest.StashKey[Running]()
_REPORTS = pytest.StashKey[list[dict[str, Any]]]()
"""The coverage of the servers of other processes."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("stubserver", "stub server for the SelfCommunity Course API")
    group.addoption(
        "--stub-fixture",
        default=_DEFAULT_FIXTURE,
        metavar="NAME",
        help="fixture that worlds start from: a name or a file",
    )
    group.addoption(
        "--stub-in-process", action="store_true", help="serve in the process of the tests, without a socket"
    )
    group.addoption("--stub-coverage", metavar="FILE", help="write a coverage report (.json, .html, .xml, .txt)")


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    pluginmanager.add_hookspecs(Hooks)


def pytest_configure(config: pytest.Config) -> None:
    """Refuse at once what would fail every test, or only after the last one: a fixture that cannot be loaded, a report
    that cannot be written."""
    if hasattr(config, "workerinput"):  # its controller has looked
        return
    if config.option.stub_coverage:
        _check_report(config.option.stub_coverage)
    if config.option.stub_fixture != _DEFAULT_FIXTURE:
        _check_fixture(config.option.stub_fixture)


def _check_report(file: str) -> None:
    from stubserver.reports.coverage_report import format_of

    try:
        format_of(file)
        is_new = not Path(file).exists()
        with Path(file).open("a", encoding="utf-8"):
            pass
        if is_new:
            Path(file).unlink()  # a run that asks no server writes none
    except (ValueError, OSError) as error:
        reason = f"cannot write {file}: {error.strerror}" if isinstance(error, OSError) else str(error)
        raise pytest.UsageError(f"--stub-coverage: {reason}") from None


def _check_fixture(name: str) -> None:
    from stubserver.contract.load import load_contract
    from stubserver.fixture import FixtureError, load

    try:
        load(name, load_contract())
    except FixtureError as error:
        raise pytest.UsageError(f"--stub-fixture: {error}") from None


@pytest.hookimpl(trylast=True)
def pytest_course_stub(config: pytest.Config) -> "StubServer":
    """The server built from the options."""
    from stubserver.app import create_app

    return create_app(config.option.stub_fixture)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a pytest-xdist worker the URL of the server that all workers share, unless each has its own."""
    if not node.config.option.stub_in_process:
        node.workerinput[_SHARED] = _running(node.config).url


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Keep the coverage of the server that a pytest-xdist worker had."""
    if report := getattr(node, "workeroutput", {}).get(_COVERAGE):
        node.config.stash.setdefault(_REPORTS, []).append(report)


def _running(config: pytest.Config) -> Running:
    if _RUNNING not in config.stash:
        config.stash[_RUNNING] = Running(config)
    return config.stash[_RUNNING]


def pytest_collection_finish(session: pytest.Session) -> None:
    """Load what the handles consist of before any test can replace it, if a test asks for them."""
    if any("course_stub" in getattr(item, "fixturenames", ()) for item in session.items):
        import stubserver.serving.in_process
        import stubserver.testing  # noqa: F401


@pytest.fixture(scope="session")
def course_stub(pytestconfig: pytest.Config) -> "Iterator[Stub]":
    """The server, which all tests share."""
    from stubserver.testing import Stub, StubError

    if url := getattr(pytestconfig, "workerinput", {}).get(_SHARED):
        stub = Stub(url)
    else:
        running = _running(pytestconfig)
        stub = running.stub()
        try:
            stub.control("GET", "/health")  # the first request builds the server
        except StubError:
            raise running.error or RuntimeError("the stub server did not start") from None
    yield stub
    stub.close()


@pytest.fixture
def course_world(course_stub: "Stub", request: pytest.FixtureRequest) -> "Iterator[CourseWorld]":
    """A fresh world, for this test only."""
    readable = re.sub(r"[^A-Za-z0-9._-]+", "-", request.node.name)[:40]
    world = course_stub.world(f"{readable}-{hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:8]}")
    world.reset()
    yield world
    world.delete()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add to the report of a failed test the requests that its world received. Never raises, which would end the run:
    a project may have a fixture `course_world` of its own, or a library that answers the plugin's own requests."""
    report = yield
    world = getattr(item, "funcargs", {}).get("course_world")
    if world is not None and report.when == "call" and report.failed and _is_world(world):
        report.sections.append((f"requests to world {world.name}", _requests(world)))
    return report


def _is_world(value: object) -> "TypeGuard[CourseWorld]":
    from stubserver.testing import CourseWorld

    return isinstance(value, CourseWorld)


def _requests(world: "CourseWorld") -> str:
    """The requests to a world, oldest first, one per line; or why they are not known."""
    try:
        return "\n".join(_line(request) for request in reversed(world.journal.requests())) or "none"
    except Exception as error:  # whatever stands between the plugin and the server
        return f"not known: {type(error).__name__}: {error}"


def _line(request: dict[str, Any]) -> str:
    asked, problems = request["request"], request["problems"]
    why = f" - {problems[0]['message']}" if problems else ""
    return f"{asked['method']:6} {asked['path']} {request['status'] or 'no answer'} {request['persona']}{why}"


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the coverage report, if a server was asked; a pytest-xdist worker leaves that to its controller."""
    if report := _coverage(session.config):
        from stubserver.reports.coverage_report import FORMATS, format_of

        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput[_COVERAGE] = report
            return
        file = session.config.option.stub_coverage
        Path(file).write_text(FORMATS[format_of(file)](report), encoding="utf-8")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Show how much of the contract was exercised, and what stopped the server if it failed."""
    if _RUNNING in config.stash and (error := config.stash[_RUNNING].error):
        terminalreporter.write_line(f"the stub server failed: {error}", red=True)
    if report := _coverage(config):
        file = config.option.stub_coverage
        terminalreporter.write_line(f"stub coverage: {report['percent']} % of the contract, in {file}")


def _coverage(config: pytest.Config) -> dict[str, Any] | None:
    """The coverage, if the option asks for it and a server was started, in this process or in others."""
    if not config.option.stub_coverage:
        return None
    from stubserver.reports.coverage_report import merged

    app = config.stash[_RUNNING].app if _RUNNING in config.stash else None
    reports = [*config.stash.get(_REPORTS, []), *([app.coverage.report()] if app else [])]
    return merged(reports) if reports else None


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the server."""
    if _RUNNING in config.stash:
        config.stash[_RUNNING].stop()
