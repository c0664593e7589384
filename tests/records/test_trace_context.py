"""The trace of a request, as W3C Trace Context defines it: what is not valid is as if it were not there."""

import pytest

from stubserver.records.trace_context import trace

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PARENT = f"00-{TRACE}-{SPAN}-01"
CONTEXT = {"trace_id": TRACE, "parent_id": SPAN, "trace_flags": "01"}


def test_a_request_without_the_header_has_no_trace() -> None:
    assert trace({}) is None
    assert trace({"tracestate": "a=1"}) is None


@pytest.mark.parametrize(
    "parent", [PARENT, f" {PARENT} ", f"01-{TRACE}-{SPAN}-01", f"cc-{TRACE}-{SPAN}-01-what-comes-in-the-future"]
)
def test_a_valid_parent_is_told(parent: str) -> None:
    """Of a version to come, the parts that it has in common with this one."""
    assert trace({"traceparent": parent}) == CONTEXT


@pytest.mark.parametrize(
    "parent",
    [
        "",
        "x",
        PARENT.upper(),
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE[:-1]}-{SPAN}-01",
        f"00-{TRACE}0-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-1",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE}-{SPAN}-01.",
        f"0-{TRACE}-{SPAN}-01",
        f"00_{TRACE}_{SPAN}_01",
        f"00-{TRACE}-{SPAN}",
        f"{PARENT}, {PARENT}",
        f"00-{TRACE}-{SPAN}-\u0661\u0661",
    ],
)
def test_any_other_parent_is_none(parent: str) -> None:
    assert trace({"traceparent": parent, "tracestate": "a=1"}) is None


@pytest.mark.parametrize(
    "state",
    [
        "rojo=00f067aa0ba902b7",
        "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE",
        "a=1, b=2 ,\tc=3",
        "a=1,,b=2",
        "tenant@vendor=x",
        "0tenant@vendor=x",
        "a_-*/9= x y",
        ",".join(f"k{number}=v" for number in range(32)),
        f"a={'x' * 256}",
    ],
)
def test_a_valid_state_is_told_as_sent(state: str) -> None:
    assert trace({"traceparent": PARENT, "tracestate": state}) == {**CONTEXT, "tracestate": state.strip()}


@pytest.mark.parametrize(
    "state",
    [
        "",
        " , ",
        "a",
        "a=",
        "=1",
        "A=1",
        "1a=1",
        "a=1=2",
        "a=1,a=2",
        "a@=1",
        "a@b@c=1",
        "a=\x7f",
        "a=\u00fc",
        f"a={'x' * 257}",
        ",".join(f"k{number}=v" for number in range(33)),
        ",".join(f"k{number}={'v' * 50}" for number in range(10)),
    ],
)
def test_any_other_state_is_left_out(state: str) -> None:
    """The parent counts nevertheless."""
    assert trace({"traceparent": PARENT, "tracestate": state}) == CONTEXT
