"""What a search has found, counted."""

from stubserver.variants.report import BROKEN, FLAKY, NOT_SENT, SURVIVED, Finding
from tests.variants.reports import ASKED, RUN, A, B, made


def test_every_site_has_one_result() -> None:
    report = made()
    assert [report.result(site) for site in report.sites] == [BROKEN, FLAKY, SURVIVED, NOT_SENT]
    assert report.counts == {BROKEN: 1, FLAKY: 1, SURVIVED: 1, NOT_SENT: 1}


def test_only_what_is_neither_known_nor_flaky_counts() -> None:
    report = made()
    assert [finding.key for finding in report.new] == ["null op /a"]
    report.findings[0].accepted = "old"
    assert report.new == []


def test_a_finding_names_the_last_request_that_varied() -> None:
    (finding, other) = made().findings
    assert finding.request == ASKED[0]
    assert other.request is None
    assert finding.prefer == 'Prefer: variant="null:/a"'


def test_several_together_have_one_key() -> None:
    assert Finding([B, A], RUN).key == "null op /a + null op /b"
    assert Finding([A, B], RUN).prefer == 'Prefer: variant="null:/a null:/b"'


def test_circumstances() -> None:
    assert made().circumstances == "4 variants at 4 places of 1 operations, 9 runs in 12 s"
    assert made().target == "npm test"
