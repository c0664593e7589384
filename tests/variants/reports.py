"""A report with one site of each result."""

from stubserver.variants.report import Finding, Report
from stubserver.variants.running import Asked, Run
from stubserver.variants.site import Site

A, B, C, D = (Site("op", f"/{name}", "null") for name in "abcd")
ASKED = [Asked("op", "GET", "/1", "stub-member", 200, [A.key]), Asked("op", "GET", "/2", "stub-member", 200)]
RUN = Run(False, 1, 2.0, "Traceback\nboom", varied=[A.key], asked=ASKED, total=2)


def made() -> Report:
    report = Report("npm test", sites=[A, B, C, D], places={"op": ["/a", "/b", "/c", "/d"]}, runs=9, seconds=12.3)
    report.findings = [Finding([A], RUN), Finding([B], RUN, is_flaky=True)]
    report.survived = {C}
    return report
