"""The pytest plugin: a server for the session, and a fresh world for each test that asks for one.

Fixtures and hooks; `stubserver.plugin` does the work. Under pytest-xdist all workers share one server, or each has
its own in its process. An error of the plugin's own never ends a run: it becomes a line of the summary.
"""

from argparse import ArgumentError
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

import stubserver.worlds.clock  # noqa: F401 (before a test can freeze the time)
from stubserver.plugin import options
from stubserver.plugin.summary import Summary

if TYPE_CHECKING:  # pytest loads this module in every run, so it imports as little as possible
    from stubserver.app import StubServer
    from stubserver.plugin.running import Running
    from stubserver.plugin.worlds import OwnedWorld, Worlds
    from stubserver.testing import Stub


class Hooks:
    """The hook that a project may implement in its conftest.py."""

    @pytest.hookspec(firstresult=True)
    def pytest_course_stub(self, config: pytest.Config) -> "StubServer":
        """Build the server, instead of from the options: `return create_app("default", jwt_secret="...")`."""
        raise NotImplementedError


_RUNNING: "pytest.StashKey[Running]" = pytest.StashKey()
_SHARED = pytest.StashKey[options.Shared]()
"""The server of `--stub-url`."""
_WORLDS: "pytest.StashKey[Worlds]" = pytest.StashKey()
_SUMMARY = pytest.StashKey[Summary]()
_MESSAGE = "stubserver"
"""Key of what a pytest-xdist worker is told, and of what it tells in the end."""


class _Server(NamedTuple):
    """The server that all tests share, as a pytest-xdist worker is told about it."""

    url: str
    token: str | None = None
    run: str = ""
    """Distinguishes this run from others that use the server; empty if there are none."""


def pytest_addoption(parser: pytest.Parser) -> None:
    options.add(parser)


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests() -> Generator[None, object, object]:
    """Explain why a project cannot have an option with the name of one of the plugin's."""
    try:
        return (yield)
    except (ValueError, ArgumentError) as error:
        raise options.clash(error) from error.__cause__


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    pluginmanager.add_hookspecs(Hooks)


def pytest_configure(config: pytest.Config) -> None:
    """Refuse at once what would fail every test, or only after the last one."""
    if not _is_worker(config) and (shared := options.check(config.option)):  # workers rely on their controller
        config.stash[_SHARED] = shared
        _summary(config).notes += shared.warnings


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def _summary(config: pytest.Config) -> Summary:
    return config.stash.setdefault(_SUMMARY, Summary())


@pytest.hookimpl(trylast=True)
def pytest_course_stub(config: pytest.Config) -> "StubServer":
    """The server built from the options."""
    from stubserver.app import create_app

    folder = config.option.stub_fixture_dir
    return create_app(
        config.option.stub_fixture or "default",
        fixture_dir=None if folder is None else Path(folder),
        strict=config.option.stub_strict,
    )


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a pytest-xdist worker about the server that all workers share, unless each has its own."""
    with _summary(node.config).guarded():
        if not node.config.option.stub_in_process:
            node.workerinput[_MESSAGE] = [*(_server(node.config) or _Server(_running(node.config).url))]


def _server(config: pytest.Config) -> _Server | None:
    """The server that this process shares with others, if it does."""
    if _is_worker(config) and not config.option.stub_in_process:
        told = config.workerinput.get(_MESSAGE)  # type: ignore[attr-defined]
        return _Server(*told) if told else pytest.fail("the stub server did not start; see the summary", pytrace=False)
    shared = config.stash.get(_SHARED, None)
    return _Server(shared.url, shared.token, shared.run) if shared else None


def _running(config: pytest.Config) -> "Running":
    if _RUNNING not in config.stash:
        from stubserver.plugin.running import Running

        config.stash[_RUNNING] = Running(config)
    return config.stash[_RUNNING]


def pytest_collection_finish(session: pytest.Session) -> None:
    """Load what the handles consist of before any test can replace it, if a test asks for them."""
    if any("course_stub" in getattr(item, "fixturenames", ()) for item in session.items):
        import stubserver.serving.in_process
        import stubserver.testing  # noqa: F401


# Fixtures


@pytest.fixture(scope="session")
def course_stub(pytestconfig: pytest.Config) -> "Iterator[Stub]":
    """The server, which all tests share."""
    from stubserver.testing import Stub, StubError

    server, running = _server(pytestconfig), None
    if server:
        stub = Stub(server.url, server.token)
    else:
        running = _running(pytestconfig)
        stub = running.stub()
    try:
        stub.control("GET", "/health")  # the first request builds the server
    except StubError as error:
        if running and running.error:
            raise running.error from None
        raise pytest.fail.Exception(str(error), pytrace=False) from None
    _summary(pytestconfig).used = True
    yield stub
    stub.close()


@pytest.fixture
def course_world(course_stub: "Stub", request: pytest.FixtureRequest) -> "Iterator[OwnedWorld]":
    """A fresh world, for this test only."""
    yield from _world(course_stub, request)


@pytest.fixture(scope="class")
def class_course_world(course_stub: "Stub", request: pytest.FixtureRequest) -> "Iterator[OwnedWorld]":
    """A world that the tests of a class share."""
    yield from _world(course_stub, request)


@pytest.fixture(scope="module")
def module_course_world(course_stub: "Stub", request: pytest.FixtureRequest) -> "Iterator[OwnedWorld]":
    """A world that the tests of a module share."""
    yield from _world(course_stub, request)


@pytest.fixture(scope="session")
def session_course_world(course_stub: "Stub", request: pytest.FixtureRequest) -> "Iterator[OwnedWorld]":
    """A world that all tests share; under pytest-xdist, all tests of a worker."""
    yield from _world(course_stub, request)


def _world(stub: "Stub", request: pytest.FixtureRequest) -> "Iterator[OwnedWorld]":
    label = request.node.name if request.node.nodeid else request.scope
    with _made(request.config, stub, label, f"{request.scope} {request.node.nodeid}", None) as world:
        yield world


@pytest.fixture(scope="session")
def course_worlds(
    course_stub: "Stub", pytestconfig: pytest.Config
) -> "Callable[..., AbstractContextManager[OwnedWorld]]":
    """Makes more worlds, for tests and for fixtures of any scope: `with course_worlds("label", fixture="empty") as
    world:` is a fresh world until the end of the block."""

    def make(label: str, fixture: str | None = None) -> "AbstractContextManager[OwnedWorld]":
        return _made(pytestconfig, course_stub, label, f"block {label}", fixture)

    return make


def _made(
    config: pytest.Config, stub: "Stub", label: str, key: str, fixture: str | None
) -> "AbstractContextManager[OwnedWorld]":
    from stubserver.testing import Stub

    if not isinstance(stub, Stub):
        what = type(stub).__name__
        pytest.fail(f"the fixture course_stub of this project is of type {what}, not a Stub: rename it", pytrace=False)
    server = _server(config)
    run = server.run if server else ""
    if _WORLDS not in config.stash:
        from stubserver.plugin.worlds import Run, Worlds

        worker = config.workerinput["workerid"] if _is_worker(config) else ""  # type: ignore[attr-defined]
        config.stash[_WORLDS] = Worlds(
            Run(run, worker), options.artifacts(config) is not None, strict=config.option.stub_strict
        )
    if run and fixture is None:  # a server of our own starts worlds from that fixture anyway
        fixture = config.option.stub_fixture
    return config.stash[_WORLDS].made(stub, label, key, fixture)


# Reports


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add to the report of a failed test the requests that its worlds received."""
    report = yield
    with _summary(item.config).guarded():
        if worlds := item.config.stash.get(_WORLDS, None):
            if report.failed:
                from stubserver.plugin.report import add

                with_command = getattr(item.config.option, "usepdb", False)
                add(report, worlds.received(), with_command, options.artifacts(item.config))
            if report.when == "teardown":
                worlds.next_test()
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the coverage report; a worker tells its controller what it knows instead."""
    config, summary = session.config, _summary(session.config)
    shared, running = config.stash.get(_SHARED, None), config.stash.get(_RUNNING, None)
    if app := running.app if running else None:
        summary.used = True
        summary.reports.append(app.coverage.report())
    if _is_worker(config):
        config.workeroutput[_MESSAGE] = summary.told()  # type: ignore[attr-defined]
    elif (file := config.option.stub_coverage) is not None and summary.used:
        with summary.guarded(f"no coverage report was written to {file}"):
            if shared:
                summary.reports.append(shared.covered())
            summary.write_coverage(file, shared.url if shared else None)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Hear what a pytest-xdist worker knows."""
    _summary(node.config).hear(getattr(node, "workeroutput", {}).get(_MESSAGE))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Show what users must know about the server and the options, and what stopped the server if it failed."""
    if _RUNNING in config.stash and (error := config.stash[_RUNNING].error):
        terminalreporter.write_line(f"the stub server failed: {error}", red=True)
    given = [] if config.option.collectonly else options.given(config.option)
    for line in _summary(config).lines(given, config.option.stub_coverage):
        terminalreporter.write_line(line)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the server."""
    with _summary(config).guarded():
        if _RUNNING in config.stash:
            config.stash[_RUNNING].stop()
