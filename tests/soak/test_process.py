"""What a process takes, as the system counts it."""

import os
import socket
import sys
import threading

import pytest

from tests.soak import process

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has /proc")


def test_descriptors_are_counted() -> None:
    before = process.files(os.getpid())
    assert before is not None
    with socket.socket(), socket.socket():
        assert process.files(os.getpid()) == before + 2
    assert process.files(os.getpid()) == before


def test_threads_are_counted() -> None:
    before, over = process.threads(os.getpid()), threading.Event()
    assert before is not None
    thread = threading.Thread(target=over.wait)
    thread.start()
    assert process.threads(os.getpid()) == before + 1
    over.set()
    thread.join()


def test_memory_is_counted_in_bytes() -> None:
    before = process.memory(os.getpid())
    kept = os.urandom(32 << 20)
    grown = process.memory(os.getpid()) - before
    assert 24 << 20 < grown < 64 << 20
    del kept


def test_where_there_is_no_proc_only_memory_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_PROC", "/nowhere")
    assert (process.files(os.getpid()), process.threads(os.getpid())) == (None, None)
    assert process.memory(os.getpid()) > 1 << 20
