"""What a server says when it starts."""

from stubserver import __version__
from stubserver.app import create_app
from stubserver.serving.banner import banner, facts


def test_facts_for_machines_are_those_of_the_banner() -> None:
    app, url = create_app("empty"), "http://127.0.0.1:8765"
    found = facts(app, url, 1, None)
    assert found == {
        "message": f"course-stubserver {__version__} listens at {url}",
        "version": __version__,
        "url": url,
        "fixture": "empty",
        "store": "memory",
        "workers": 1,
    }
    assert "fixture empty" in banner(app, url)
    assert f"{url}/api/v2/" in banner(app, url)


def test_only_a_token_that_nobody_knows_is_among_the_facts() -> None:
    app = create_app("empty", control_token="t0ken")
    assert "t0ken" not in str(facts(app, "http://10.0.0.7", 1, None))
    assert facts(app, "http://10.0.0.7", 1, "t0ken")["control_token"] == "t0ken"
