"""What a proxy says of single exchanges, and of all of them."""

import pytest

from stubserver.checking.observed import Exchange, Observed, as_line


@pytest.mark.parametrize(
    ("exchange", "wrong", "line"),
    [
        (Exchange("GET", "/a", "token=x", {}, status=200, seconds=0.0123), 0, "GET    /a 200 12.3 ms\n"),
        (Exchange("DELETE", "/a", "", {}, status=500), 2, "DELETE /a 500 0.0 ms - 2 against the contract\n"),
        (Exchange("GET", "/a", "", {}, failure="gone"), 1, "GET    /a gone - 1 against the contract\n"),
        (
            Exchange("GET", "/a\nGET /b\x1b[31m", "", {}, status=200),
            0,
            "GET    /a\N{REPLACEMENT CHARACTER}GET /b\N{REPLACEMENT CHARACTER}[31m 200 0.0 ms\n",
        ),
    ],
)
def test_lines_of_the_log(exchange: Exchange, wrong: int, line: str) -> None:
    assert as_line(exchange, wrong) == line


def test_a_report_says_how_much_was_seen() -> None:
    report = Observed("http://t", 0, [], sent=1200, seconds=3.0, documented=1000)
    assert report.circumstances == "1,200 requests in 3 s, 1,000 of documented operations"
    assert report.more == {"documented": 1000, "coverage": {}, "journal": []}
