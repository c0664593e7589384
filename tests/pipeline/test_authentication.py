"""Authentication: every spelling of a valid token is accepted, and an invalid token is refused everywhere."""

import re

import pytest

from stubserver.contract.contract import Contract
from tests.support.answers import GENERAL, codes
from tests.support.client import Api
from tests.support.tokens import signed


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
@pytest.mark.parametrize("text", ["stub-member", signed(), signed(iat=4 * 10**9), signed(exp=4e9, ext_id="x", aud="a")])
def test_good_tokens_are_accepted(api: Api, scheme: str, text: str) -> None:
    response = api.get("/course/1/status/", headers={"Authorization": f"{scheme} {text}"})
    assert (response.status_code, response.json()) == (200, {"status": "joined"})


@pytest.mark.parametrize("header", ["Bearer stub-nobody", "Basic c3R1Yg==", "Bearer"])
def test_bad_tokens_are_refused_by_every_operation(api: Api, contract: Contract, header: str) -> None:
    """Even by operations open to anonymous callers; but not by those that take no token."""
    for operation in contract.operations.values():
        if not contract.document["paths"][operation.path][operation.method]["security"]:
            continue
        path = re.sub(r"\{\w+\}", "1", operation.path)
        response = api.request(operation.method.upper(), path, headers={"Authorization": header})
        assert response.status_code == 401, operation.id
        assert codes(response) == {GENERAL: "authentication_failed"}
        assert response.headers["www-authenticate"].startswith("Bearer")
