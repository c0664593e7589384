"""A colleague's afternoon: data is generated, extended, broken and mended while the server runs, shared by its address,
and still there after a restart."""

import signal
import subprocess
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from stubserver.testing import Stub
from tests.support.commands import CLEAN, COMMAND, PATIENCE, Served, until

pytestmark = [pytest.mark.slow, pytest.mark.untraced]

MINE = """\
extends: ours
courses:
  - id: 1
    name: {name}
    slug: our-first-course
    type: self-paced
    privacy: open
    created_by: {creator}
    created_at: -3d
"""


def courses(url: str, world: str) -> dict[int, str]:
    """Id -> name of the courses that somebody sees in a world."""
    found = httpx.get(f"{url}/~{world}/api/v2/course/search/?limit=100", timeout=PATIENCE).raise_for_status().json()
    return {course["id"]: course["name"] for course in found["results"]}


def test_nothing_of_an_afternoon_is_lost(tmp_path: Path) -> None:
    folder, kept = tmp_path / "fixtures", tmp_path / "worlds.json"
    folder.mkdir()

    # The data of the team is generated, and somebody puts a course of their own on top.
    generate = ["fixture", "generate", "--preset", "one-course", "--seed", "7", "--output", str(folder / "ours.yaml")]
    subprocess.run([*COMMAND, *generate], check=True, env=CLEAN, timeout=PATIENCE, capture_output=True)
    mine = folder / "mine.yaml"
    mine.write_text(MINE.format(name="Baskets", creator=1))
    options = ["--fixture", "mine", "--fixture-dir", str(folder), "--export-on-exit", str(kept)]
    server = Served(tmp_path, *options, "--watch")
    try:
        with closing(Stub(server.url)) as stub:
            first = stub.world("first")
            assert courses(server.url, "first")[1] == "Baskets"

            # An edit that is broken changes nothing, and the terminal says what is wrong with it.
            mine.write_text(MINE.format(name="Baskets again", creator=999_999))
            until(lambda: any("999999" in line for line in server.log), lambda: server.log)
            assert any("mine.yaml:8:" in line for line in server.log)
            stub.world("second")
            assert courses(server.url, "second")[1] == "Baskets"

            # Mended, it is there in new worlds and in those that are reset.
            mine.write_text(MINE.format(name="Baskets again", creator=1))
            until(lambda: any("again" in line and "mine" in line for line in server.log[1:]), lambda: server.log)
            stub.world("third")
            assert courses(server.url, "third")[1] == "Baskets again"
            assert courses(server.url, "first")[1] == "Baskets"
            first.reset()
            assert courses(server.url, "first")[1] == "Baskets again"

            # What started from the fixture of before is not kept, so this one starts anew.
            stub.control("POST", "/worlds/second/reset")

        # A colleague who is given the address of a world changes it, and both see that.
        theirs = f"{server.url}/~third/api/v2/course/1/"
        token = {"Authorization": f"Bearer {_creator(server.url)}"}
        httpx.patch(theirs, json={"description": "With willow"}, headers=token).raise_for_status()
        assert httpx.get(theirs).json()["description"] == "With willow"
    finally:
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(PATIENCE)

    # Tomorrow, all of it is still there.
    again = Served(tmp_path, *options, "--import", str(kept))
    try:
        found = httpx.get(f"{again.url}/~third/api/v2/course/1/").raise_for_status().json()
        assert (found["name"], found["description"]) == ("Baskets again", "With willow")
        assert courses(again.url, "second")[1] == "Baskets again"
    finally:
        again.end()


def _creator(url: str) -> str:
    """The token of the course's creator."""
    with closing(Stub(url)) as stub:
        people = stub.control("GET", "/personas")["results"]
    return next(str(one["token"]) for one in people if one["user"] == 1)
