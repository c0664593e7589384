"""What a search remembers, in a file."""

from pathlib import Path

import pytest

from stubserver.variants.memory import Memory, UnusableState
from stubserver.variants.running import Asked, Run, Sent
from stubserver.variants.site import Site

ONE, TWO = Site("a", "/x", "null"), Site("a", "/y", "enum", "b")
RUN = Run(False, 3, 1.5, "end", True, [ONE.key], [Asked("a", "GET", "/x", "stub-member", 200, [ONE.key])], [], 7)


def test_without_a_file_it_forgets_with_the_process() -> None:
    memory = Memory(None, {})
    memory.keep([ONE], 0, RUN)
    assert memory.get([ONE], 0) is RUN
    assert Memory(None, {}).get([ONE], 0) is None


def test_another_process_goes_on(tmp_path: Path) -> None:
    file = tmp_path / "state"
    memory = Memory(file, {"command": "x"})
    memory.sent = Sent({"a": ["/x"]}, [ONE, TWO])
    memory.keep([ONE, TWO], 0, RUN)
    memory.keep([], 1, Run(True, varied=[], asked=[], refused=[]))
    again = Memory(file, {"command": "x"})
    assert again.resumed == 2
    assert again.get([TWO, ONE], 0) == RUN
    assert (again.get([TWO, ONE], 1), again.get([], 1)) == (None, Run(True, varied=[], asked=[], refused=[]))
    assert again.sent == memory.sent


def test_an_empty_file_is_a_new_one(tmp_path: Path) -> None:
    file = tmp_path / "state"
    file.touch()
    assert Memory(file, {}).resumed == 0


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"about": {}, "runs": {"a": {}}, "sent": null}', '{"about": 1}'])
def test_another_file_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "state"
    file.write_text(text)
    with pytest.raises(UnusableState, match="is no state of this command") as refused:
        Memory(file, {})
    assert "\n" not in str(refused.value)
    assert file.read_text() == text


def test_the_state_of_another_search_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "state"
    Memory(file, {"command": "x"})
    with pytest.raises(UnusableState, match="another command: use another file, or delete it"):
        Memory(file, {"command": "y"})


def test_a_file_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        Memory(tmp_path / "no" / "state", {})
