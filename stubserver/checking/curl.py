"""A request as a line for the shell, in which tokens are names of variables."""

import json
import shlex
from urllib.parse import urlencode

from stubserver.checking.sides import Request


def curl(request: Request, base_url: str = "$TARGET") -> str:
    """The request for curl. Its token is left to an environment variable, so that a report has no credentials."""
    parts = ["curl", "-X", request.operation.method.upper()]
    query = urlencode({name: _text(value) for name, value in request.query.items()}, doseq=True)
    if request.token is not None:
        parts += ["-H", '"Authorization: Bearer $TOKEN"']
    for name, value in request.headers.items():
        parts += ["-H", shlex.quote(f"{name}: {value}")]
    if request.files:
        parts += [
            part for name, (file, _, _) in request.files.items() for part in ("-F", shlex.quote(f"{name}=@{file}"))
        ]
    elif request.body is not None:
        parts += ["-H", shlex.quote(f"Content-Type: {request.media}")]
        parts += ["-d", shlex.quote(json.dumps(request.body, ensure_ascii=False))]
    parts.append(f'"{base_url}{request.target}{"?" if query else ""}{query}"')
    return " ".join(parts)


def _text(value: object) -> object:
    return json.dumps(value) if isinstance(value, bool | dict) else value
