"""Does what a Dockerfile says without a container engine: each stage in a root of its own, in a namespace of mounts.

It stands in for an engine as far as the steps go: RUN in a chroot on this system's own programs, with the interpreter
of the tests in the place of that of the images that the Dockerfile begins with; then the command as an unprivileged
user, on a root that cannot be written to. It does not show whether those images have all programs. It needs Linux and
root.
"""

import io
import json
import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Any

from dockerfile_parse import DockerfileParser

from tests.sources import ROOT

DOCKERFILE, IGNORED = ROOT / "deploy/Dockerfile", ROOT / ".dockerignore"
BASE_PATH = f"{sys.base_prefix}/bin:/usr/local/bin:/usr/bin:/bin"
SYSTEM = ("bin", "sbin", "lib", "lib64", "usr", "etc", "proc", "dev")
"""What of this system there is in each root, to be read only."""
PATIENCE = 600


def why_impossible() -> str:
    """Why this cannot be done here; empty if it can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "only root can make namespaces of mounts, on Linux"
    done = subprocess.run(["unshare", "--mount", "true"], capture_output=True, text=True, check=False)
    return done.stderr.strip()


def steps() -> list[tuple[str, str]]:
    """Instructions and their values, with continued lines joined."""
    parser = DockerfileParser(fileobj=io.BytesIO(DOCKERFILE.read_bytes()))
    return [(step["instruction"], step["value"]) for step in parser.structure if step["instruction"] != "COMMENT"]


def context() -> set[str]:
    """The names at the root of the checkout that an engine is given."""
    lines = IGNORED.read_text(encoding="utf-8").splitlines()
    assert lines[1] == "*"
    return {line[1:] for line in lines if line.startswith("!")}


@dataclass
class Stage:
    """A stage, as far as it has come."""

    root: Path
    environment: dict[str, str] = field(default_factory=lambda: {"PATH": BASE_PATH})
    folder: str = "/"
    user: str = "0:0"
    command: dict[str, list[str]] = field(default_factory=dict)
    """ENTRYPOINT, CMD and HEALTHCHECK."""

    def make(self) -> None:
        """Make the root, with what it has of this system."""
        self.root.mkdir()
        mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", str(self.root))
        for name in SYSTEM:
            there, here = Path("/", name), self.root / name
            if there.is_symlink():
                here.symlink_to(there.readlink())
            elif there.exists():
                here.mkdir()
                mount("--rbind", str(there), str(here))
        python = self.root / sys.base_prefix.lstrip("/")
        if not python.exists():
            python.mkdir(parents=True)
            mount("--bind", sys.base_prefix, str(python))
        (self.root / "tmp").mkdir(mode=0o1777)

    def at(self, path: str) -> Path:
        """A path within, from outside."""
        return self.root / os.path.normpath(os.path.join(self.folder, path)).lstrip("/")  # noqa: PTH118

    def do(self, instruction: str, value: str, stages: dict[str, "Stage"]) -> None:
        """Carry out one instruction."""
        if instruction == "WORKDIR":
            self.folder = value
            self.at(".").mkdir(parents=True, exist_ok=True)
        elif instruction == "ENV":
            for pair in shlex.split(value):
                name, _, text = pair.partition("=")
                self.environment[name] = Template(text).substitute(self.environment)
        elif instruction == "USER":
            self.user = value
        elif instruction == "COPY":
            self._copy(value.split(), stages)
        elif instruction == "RUN":
            command = [_program("chroot"), str(self.root), "/bin/sh", "-c", f"cd {self.folder} && {value}"]
            given = {name: text for name, text in os.environ.items() if name.startswith("PIP_")}
            subprocess.run(command, env={**given, **self.environment}, check=True, timeout=PATIENCE)
        elif instruction in ("ENTRYPOINT", "CMD"):
            self.command[instruction] = json.loads(value)
        elif instruction == "HEALTHCHECK":
            self.command[instruction] = json.loads(value.partition("CMD ")[2])
        else:
            assert instruction in ("LABEL", "EXPOSE", "STOPSIGNAL"), instruction

    def _copy(self, words: list[str], stages: dict[str, "Stage"]) -> None:
        origin = stages[words.pop(0).partition("=")[2]].root if words[0].startswith("--from=") else None
        *sources, target = words
        for source in sources:
            there = origin / source.lstrip("/") if origin else ROOT / source
            assert origin or source in context(), f".dockerignore leaves {source} out"
            here = self.at(target) / source if target.endswith("/") else self.at(target)
            if there.is_dir():
                shutil.copytree(
                    there, here, symlinks=True, ignore=None if origin else shutil.ignore_patterns("__pycache__")
                )
            else:
                shutil.copy(there, here)


def _program(name: str) -> str:
    """Where a program of this system is; some are only for root."""
    path = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    assert path, f"{name} is not installed"
    return path


def mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)


def built(folder: Path) -> Stage:
    """The last stage, after all instructions; its root cannot be written to any more."""
    stages: dict[str, Stage] = {}
    stage = None
    for instruction, value in steps():
        if instruction == "FROM":
            name = value.partition(" AS ")[2] or str(len(stages))
            stage = stages[name] = Stage(folder / name)
            stage.make()
        elif instruction != "ARG":
            assert stage is not None, "an instruction before FROM"
            stage.do(instruction, value, stages)
    assert stage is not None, "there is no FROM"
    mount("-o", "remount,ro", str(stage.root))
    return stage


def run(folder: Path, environment: dict[str, str]) -> None:
    """Build, write what is to be known into `folder`, and become the command of the image. An engine would do that with
    `--read-only --cap-drop ALL --security-opt no-new-privileges`."""
    stage = built(folder)
    given: dict[str, str] = {**stage.environment, **environment}
    about: dict[str, Any] = {"check": stage.command["HEALTHCHECK"], "environment": given, "user": stage.user}
    (folder / "built.json").write_text(json.dumps(about), encoding="utf-8")
    command = [*stage.command["ENTRYPOINT"], *stage.command["CMD"]]
    os.chdir("/")
    rights = ["--no-new-privs", "--bounding-set=-all,+sys_chroot,+setuid,+setgid"]
    user = [f"--userspec={stage.user}", "--groups="]
    os.execve(_program("setpriv"), ["setpriv", *rights, _program("chroot"), *user, str(stage.root), *command], given)  # noqa: S606


if __name__ == "__main__":
    run(Path(sys.argv[1]), json.loads(sys.argv[2]))
