"""What is in deploy/: the image can be built and behaves in a cluster, and the manifests say what they should.

The schemas of the manifests are checked in tests/tools/test_manifests.py.
"""

import json
import os
import re
import signal
import subprocess
import sys
import tomllib
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from stubserver import __version__
from stubserver.serving import server
from stubserver.shared.turns import PATIENCE as STORE_PATIENCE
from stubserver.stores.opening import store_at
from tests.sources import ROOT
from tests.support import image
from tests.support.commands import PATIENCE, until
from tests.support.control import CONTROL
from tests.support.engines import free_port

DEPLOY = ROOT / "deploy"


def documents(name: str) -> list[dict[str, Any]]:
    return [*yaml.safe_load_all((DEPLOY / name).read_text(encoding="utf-8"))]


# The image

STEPS = image.steps()


def values(instruction: str) -> list[str]:
    return [value for name, value in STEPS if name == instruction]


def test_the_image_is_small_and_has_no_tools_of_the_build() -> None:
    """Two stages, of which the last one installs nothing."""
    assert values("FROM") == ["${PYTHON} AS build", "${PYTHON}"]
    assert values("ARG") == ["PYTHON=python:3.11-slim"]
    last = STEPS[[name for name, _ in STEPS].index("FROM", 2) :]
    assert not any("pip" in value or "apt" in value for name, value in last if name == "RUN")


def test_the_image_begins_with_the_python_that_ci_runs() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert values("ARG") == [f"PYTHON=python:{project['requires-python'].removeprefix('>=')}-slim"]


def test_the_image_runs_as_a_number_in_exec_form() -> None:
    """Kubernetes can tell only from a number that it is not root; a shell would keep signals from the server."""
    assert values("USER") == ["10001:10001"]
    assert [json.loads(values(name)[0]) for name in ("ENTRYPOINT", "CMD")] == [["stubserver"], ["serve"]]
    assert values("STOPSIGNAL") == ["SIGTERM"]
    assert values("HEALTHCHECK")[0].partition("CMD ")[2].startswith('["python", "-c"')


def test_the_context_has_what_is_copied_and_no_more() -> None:
    copied = {word for value in values("COPY") if "--from" not in value for word in value.split()[:-1]}
    assert copied == image.context()
    assert all((ROOT / name).exists() for name in copied)


class Contained:
    """The server as the image starts it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        environment = json.dumps({"STUBSERVER_PORT": str(self.port), "STUBSERVER_CONTROL_TOKEN": "s3cret"})
        command = ["unshare", "--mount", "--propagation", "private", sys.executable, "-m", "tests.support.image"]
        self.err = folder / "err"
        with self.err.open("w") as err:
            self.process = subprocess.Popen([*command, str(folder), environment], cwd=ROOT, stdout=err, stderr=err)
        try:
            until(self._runs, self.err.read_text, image.PATIENCE)
        except BaseException:
            self.end()
            raise

    def _runs(self) -> bool:
        assert self.process.poll() is None, self.err.read_text()
        return "listens at" in self.err.read_text()

    @property
    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.err.read_text().splitlines() if line.startswith('{"time"')]

    def within(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command as `docker exec` does, as the user of the image."""
        about = json.loads((self.folder / "built.json").read_text())
        user, _, group = about["user"].partition(":")
        enter = ["nsenter", "--target", str(self.process.pid), "--mount", "--root", "-S", user, "-G", group, "--"]
        return subprocess.run(
            [*enter, *command], env=about["environment"], capture_output=True, text=True, timeout=PATIENCE, check=False
        )

    def check(self) -> int:
        """The status of the HEALTHCHECK."""
        return self.within(*json.loads((self.folder / "built.json").read_text())["check"]).returncode

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="module")
def contained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Contained]:
    if reason := image.why_impossible():
        pytest.skip(reason)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PYTHONPATH", raising=False)
        made = Contained(tmp_path_factory.mktemp("image"))
    yield made
    made.end()


@pytest.mark.slow
@pytest.mark.untraced
def test_the_image_serves_and_ends_when_it_is_told_to(contained: Contained) -> None:
    """As a user without rights, on a root that cannot be written to, without a folder for temporary files."""
    request = urllib.request.Request(f"http://127.0.0.1:{contained.port}/api/v2/course/1/")
    request.add_header("Authorization", "Bearer stub-member")
    with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310 (loopback)
        assert b'"join_status":"joined"' in answer.read()
    status = Path(f"/proc/{contained.process.pid}/status").read_text()
    assert re.search(r"^Uid:\t10001\t10001", status, re.MULTILINE)
    assert re.search(r"^NoNewPrivs:\t1", status, re.MULTILINE)
    assert re.search(r"^CapEff:\t0+$", status, re.MULTILINE)
    for path in ("/data/x", "/opt/stubserver/x", "/tmp/x"):  # noqa: S108
        assert "Read-only file system" in contained.within("touch", path).stderr
    assert contained.check() == 0
    assert {line["level"] for line in contained.log} == {"info", "warning"}  # it says that it lets other machines in
    assert not any(line.get("control_token") for line in contained.log)
    contained.process.send_signal(signal.SIGTERM)
    assert contained.process.wait(PATIENCE) == -signal.SIGTERM


@pytest.mark.slow
@pytest.mark.untraced
def test_the_health_check_fails_where_nobody_answers() -> None:
    (value,) = values("HEALTHCHECK")
    command = [sys.executable, *json.loads(value.partition("CMD ")[2])[1:]]
    environment = {**os.environ, "STUBSERVER_PORT": str(free_port())}
    assert subprocess.run(command, env=environment, capture_output=True, check=False).returncode == 1


# The manifests

KUBERNETES = [part for name in ("stubserver", "redis") for part in documents(f"kubernetes/{name}.yaml")]


def kind(name: str) -> dict[str, Any]:
    return next(part for part in KUBERNETES if part["kind"] == name)


POD = kind("Deployment")["spec"]["template"]["spec"]
(CONTAINER,) = POD["containers"]


def options(arguments: list[str]) -> dict[str, str]:
    return dict(argument.removeprefix("--").split("=", 1) for argument in arguments if argument.startswith("--"))


def test_the_replicas_share_a_redis() -> None:
    store = options(CONTAINER["args"])["store"]
    services = {part["metadata"]["name"]: part["spec"]["ports"] for part in KUBERNETES if part["kind"] == "Service"}
    host, port = re.fullmatch(r"redis://([\w-]+):([0-9]+)/0", store).groups()  # type: ignore[union-attr]
    assert services[host][0]["port"] == int(port)
    assert kind("Deployment")["spec"]["replicas"] == 2
    assert store_at(store, 1) is not None


def test_every_redis_keeps_what_it_is_given() -> None:
    """The server refuses one that may drop keys."""
    redis = kind("StatefulSet")["spec"]["template"]["spec"]["containers"][0]["args"]
    for command in (redis, documents("compose.yaml")[0]["services"]["redis"]["command"]):
        given = dict(zip(command[1::2], command[2::2], strict=True))
        assert (given["--maxmemory-policy"], given["--appendonly"]) == ("noeviction", "yes")


def test_probes_ask_what_needs_no_token() -> None:
    asked = {name: CONTAINER[name]["httpGet"]["path"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert asked == dict.fromkeys(("startupProbe", "livenessProbe"), "/__stub/live") | {
        "readinessProbe": "/__stub/ready"
    }
    for path in asked.values():
        operation = CONTROL.find("GET", path)
        assert operation is not None
        assert not operation.secured
    assert CONTAINER["readinessProbe"]["timeoutSeconds"] > STORE_PATIENCE


def test_there_is_time_to_end() -> None:
    """For Services to forget the pod, and then for its requests."""
    pause = int(CONTAINER["lifecycle"]["preStop"]["exec"]["command"][1])
    assert pause > 0
    assert POD["terminationGracePeriodSeconds"] > pause + server.GRACE
    grace = documents("compose.yaml")[0]["services"]["stubserver"]["stop_grace_period"]
    assert int(grace.removesuffix("s")) > server.GRACE


def test_pods_have_no_rights_they_do_not_need() -> None:
    for part in (kind("Deployment"), kind("StatefulSet")):
        pod = part["spec"]["template"]["spec"]
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert container["resources"]["limits"]["memory"]
    user = values("USER")[0].split(":")
    assert [str(POD["securityContext"][name]) for name in ("runAsUser", "runAsGroup")] == user


def test_tokens_come_from_a_secret() -> None:
    names = {variable["name"]: variable["valueFrom"]["secretKeyRef"]["key"] for variable in CONTAINER["env"]}
    assert names == {"STUBSERVER_CONTROL_TOKEN": "control-token", "STUBSERVER_METRICS_TOKEN": "metrics-token"}


def test_the_service_finds_the_pods() -> None:
    labels = kind("Deployment")["spec"]["template"]["metadata"]["labels"]
    service = kind("Service")
    assert service["spec"]["selector"] == labels == kind("PodDisruptionBudget")["spec"]["selector"]["matchLabels"]
    assert service["spec"]["ports"][0]["targetPort"] == CONTAINER["ports"][0]["name"]
    assert options(CONTAINER["args"])["allowed-host"] == service["metadata"]["name"]
    assert str(CONTAINER["ports"][0]["containerPort"]) in values("EXPOSE")


def test_compose_starts_two_servers_after_their_redis() -> None:
    services = documents("compose.yaml")[0]["services"]
    assert [*services] == ["stubserver", "stubserver-2", "redis"]
    ports = [services[name]["ports"] for name in ("stubserver", "stubserver-2")]
    assert ports == [["127.0.0.1:8765:8765"], ["127.0.0.1:8766:8765"]]
    for name in ("stubserver", "stubserver-2"):
        one = services[name]
        assert (one["read_only"], one["cap_drop"]) == (True, ["ALL"])
        assert one["depends_on"] == {"redis": {"condition": "service_healthy"}}
        assert (DEPLOY / one["build"]["context"] / one["build"]["dockerfile"]).resolve() == image.DOCKERFILE


@pytest.mark.parametrize("file", ["kubernetes/stubserver.yaml", "github-actions.yaml", "devcontainer/compose.yaml"])
def test_examples_name_this_version(file: str) -> None:
    named = re.findall(r"image: \S*course-stubserver:(\S+)", (DEPLOY / file).read_text(encoding="utf-8"))
    assert named == [__version__]


def test_every_variable_is_an_option() -> None:
    page = (ROOT / "docs/commands.md").read_text(encoding="utf-8")
    texts = [file.read_text(encoding="utf-8") for file in DEPLOY.rglob("*") if file.is_file()]
    for name in {name for text in texts for name in re.findall(r"STUBSERVER_(\w+)", text)} - {"URL"}:
        assert f"`--{name.lower().replace('_', '-')}`" in page, name


def test_the_development_container_has_the_workspace_that_it_names() -> None:
    found = json.loads((DEPLOY / "devcontainer/devcontainer.json").read_text(encoding="utf-8"))
    services = documents("devcontainer/compose.yaml")[0]["services"]
    workspace = services[found["service"]]
    assert found["dockerComposeFile"] == "compose.yaml"
    assert any(found["workspaceFolder"] in volume for volume in workspace["volumes"])
    assert (
        workspace["environment"]["STUBSERVER_CONTROL_TOKEN"]
        == services["stubserver"]["environment"]["STUBSERVER_CONTROL_TOKEN"]
    )
    assert {forwarded.partition(":")[0] for forwarded in found["forwardPorts"]} <= set(services)
