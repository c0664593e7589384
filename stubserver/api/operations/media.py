"""Media: uploaded in pieces, or made from an address. Nothing of a file is kept but what identifies it."""

import hashlib
import mimetypes
from datetime import timedelta
from typing import Any
from urllib.parse import unquote, urlsplit

from stubserver.api.body_checks import required
from stubserver.api.views.media import MediaView
from stubserver.call import Call, Upload
from stubserver.errors import invalid
from stubserver.worlds.table import Row

MAX_PIECE = 204_800
"""Bytes of the largest piece."""
MAX_FILE = {"image": 5 * 1024**2, "doc": 50 * 1024**2}
"""Kind of file -> bytes of the largest."""
LIFETIME = timedelta(days=1)
"""How long an upload waits for its next piece."""


def upload_media_chunk(call: Call) -> dict[str, Any]:
    """A piece of a file, the first or the next (R708)."""
    piece = call.files.get("image") or call.files.get("document")
    if piece is None:
        raise invalid("image", "required", "Send the piece as a file in the field image or document.")
    start, size = _checked_range(call, piece)
    upload = _upload(call) if "upload_id" in call.body else _begun(call, piece, size)
    if (start, size) != (upload["offset"], upload["size"]):
        expected = f"bytes {upload['offset']}-.../{upload['size']}"
        raise invalid("Content-Range", "invalid", f"The next piece of this upload is {expected}.")
    digest = upload["digest"].copy()
    digest.update(piece.content)
    offset = start + len(piece.content)
    call.world.uploads.put({**upload, "offset": offset, "digest": digest})
    return {"upload_id": upload["upload_id"], "offset": str(offset), "expires": upload["expires"]}


def complete_media_upload(call: Call) -> MediaView:
    """Make a media of an upload whose pieces are all there (R709)."""
    upload = _upload(call)
    if upload["offset"] != upload["size"]:
        raise invalid("upload_id", "invalid", f"{upload['offset']} of {upload['size']} bytes have arrived.")
    if upload["digest"].hexdigest() != call.body["md5"].lower():
        raise invalid("md5", "invalid", f"The file's checksum is {upload['digest'].hexdigest()}.")
    kind = call.body.get("type", upload["kind"])
    kind = "doc" if kind in ("document", "file") else kind
    _check_size("upload_id", "doc" if kind == "doc" else "image", upload["size"])
    call.world.uploads.delete(upload["upload_id"])
    return _made(call, type=kind, title=_readable(upload["name"]))


def create_media(call: Call) -> MediaView:
    """Make a media of an address, without going there (R710)."""
    match call.body["type"]:
        case "url":
            url = _needed(call, "url")
            found = {
                "embed_type": "sc_link",
                "embed_id": url,
                "url": url,
                "metadata": {"title": _title(url), "url": url},
            }
            return _made(call, type="url", url=url, title=_title(url), embed=found)
        case "image":
            url = _needed(call, "url")
            return _made(call, type="image", url=url, image=url, title=_title(url))
        case "embed":
            embed = {"url": None, "metadata": {}} | _needed(call, "embed")
            return _made(call, type="embed", url=embed["url"], embed=embed)
    field = "event_object" if "event_object" in call.body else "shared_object"
    raise invalid(field, "does_not_exist", "There is nothing here that could be shared.")


def click_media(call: Call) -> None:
    """Nobody counts (R711)."""


def _checked_range(call: Call, piece: Upload) -> tuple[int, int]:
    """First byte and size of the file, from a Content-Range that fits the piece. Raises a 400 refusal."""
    numbers, _, size = call.query["Content-Range"].removeprefix("bytes ").partition("/")
    start, end = map(int, numbers.split("-"))
    if not piece.content or end - start + 1 != len(piece.content) or end >= int(size):
        message = f"It does not fit the piece, which has {len(piece.content)} bytes."
        raise invalid("Content-Range", "invalid", message)
    if len(piece.content) > MAX_PIECE:
        raise invalid("Content-Range", "invalid", f"A piece may have {MAX_PIECE} bytes.")
    return start, int(size)


def _begun(call: Call, piece: Upload, size: int) -> Row:
    kind = _kind(piece)
    _check_size("Content-Range", kind, size)
    return {
        "upload_id": call.world.token(f"upload {call.world.uploads.next_id()}"),
        "user_id": call.user_id,
        "kind": kind,
        "name": piece.name,
        "size": size,
        "offset": 0,
        "digest": hashlib.md5(usedforsecurity=False),
        "expires": call.world.clock.now() + LIFETIME,
    }


def _check_size(field: str, kind: str, size: int) -> None:
    if size > MAX_FILE[kind]:
        raise invalid(field, "invalid", f"A file of type {kind} may have {MAX_FILE[kind]} bytes.")


def _kind(piece: Upload) -> str:
    media_type = piece.media_type or mimetypes.guess_type(piece.name)[0] or ""
    return "image" if media_type.lower().startswith("image/") else "doc"


def _upload(call: Call) -> Row:
    """The caller's upload that the body names. Raises a 400 refusal."""
    upload = call.world.uploads.get(call.body["upload_id"])
    if upload is None or upload["user_id"] != call.user_id or upload["expires"] <= call.world.clock.now():
        raise invalid("upload_id", "does_not_exist", "You have no such upload; it may have expired.")
    return upload


def _needed(call: Call, field: str) -> Any:
    return required(call.body, field, f"A media of type {call.body['type']}")


def _title(url: str) -> str:
    """What the end of an address says, for there is nobody to ask for a better title."""
    parts = urlsplit(url)
    last = unquote(parts.path.rstrip("/").rpartition("/")[2])
    return _readable(last.replace("-", " ").replace("_", " ")) or parts.netloc.rpartition("@")[2] or url


def _readable(text: str) -> str:
    """The text without what cannot be seen."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def _made(call: Call, **fields: Any) -> MediaView:
    number = call.world.medias.next_id()
    if "embed" in fields:
        fields["embed"] = {**fields["embed"], "id": number}
    media = {**call.operation.blank, **fields, "id": number, "added_at": call.world.clock.now()}
    return MediaView(call, call.world.medias.put(media))
