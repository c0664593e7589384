"""Authentication: identifies the caller by the Authorization header (R001, R002)."""

from functools import lru_cache
from typing import Any

from connexion.lifecycle import ConnexionRequest
from connexion.security import NO_VALUE

from stubserver.addressing import bearer_token
from stubserver.api.tokens import BadCredentials, user_of
from stubserver.call import SCOPE_KEY, Call


def identify(call: Call) -> None:
    """Set the call's user, or what is wrong with its credentials, unless that has been done already."""
    if call.user is not None or call.bad_credentials is not None or "authorization" not in call.headers:
        return
    try:
        call.user = user_of(call.world, _token(call.headers["authorization"]))
    except BadCredentials as error:
        call.bad_credentials = str(error)


@lru_cache
def _token(header: str) -> str:
    """The token in the header. Raises BadCredentials."""
    if token := bearer_token(header):
        return token
    raise BadCredentials("The Authorization header must read: Bearer TOKEN.")


class Bearer:
    """Creates Connexion's check for the bearer scheme.

    Connexion takes the first security alternative that does not fail, so an optional login would hide a bad token.
    The check therefore only notes it on the call, and admission refuses it.
    """

    def get_fn(self, _scheme: Any, _scopes: Any) -> Any:
        """The check, which Connexion calls with each request."""
        return self._identify

    async def _identify(self, request: ConnexionRequest) -> Any:
        call: Call = request.scope[SCOPE_KEY]
        if "authorization" not in call.headers or call.is_control:  # whose token is no user's; the wire has checked it
            return NO_VALUE
        identify(call)
        return {"sub": call.user_id}
