"""Verifies a pact as a provider's team would: FILE PROVIDER URL. States are entered by the control plane."""

import json
import sys
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlsplit

from pact import Verifier

file, provider, url = sys.argv[1:]


def send(method: str, target: str, headers: dict[str, str], body: str | None = None) -> None:
    """Send a request, however it is answered."""
    data = None if body is None else body.encode()
    request = urllib.request.Request(f"{url}{target}", data, headers, method=method)  # noqa: S310 (our own server)
    try:
        urllib.request.urlopen(request).close()  # noqa: S310
    except urllib.error.HTTPError as error:
        error.close()


def enter(state: str, parameters: dict[str, Any] | None = None, **_: Any) -> None:
    """Put the default world into a provider state."""
    given = parameters or {}
    if "fixture" in given:
        send("POST", f"/__stub/worlds/default/reset?fixture={given['fixture']}", {})
    for made in given.get("requests", ()):
        headers = {} if made["persona"] == "anonymous" else {"Authorization": f"Bearer {made['persona']}"}
        if "contentType" in made:
            headers["Content-Type"] = made["contentType"]
        send(made["method"], made["target"], headers, made.get("body"))


verifier = (
    Verifier(provider, host=urlsplit(url).hostname)
    .add_transport(url=url)
    .add_source(file)
    .state_handler(enter, teardown=False)
)
verifier.verify()
print(json.dumps({"verified": True}))
