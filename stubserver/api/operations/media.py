"""Media: uploaded in pieces, or made from a URL.

Pieces are kept until the file is whole. Of a document, only what identifies it stays then, not its content.
"""

import hashlib
import mimetypes
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from urllib.parse import unquote, urlsplit

from stubserver.api import pictures
from stubserver.api.body_checks import required
from stubserver.api.views.media import MediaView
from stubserver.call import Call, Upload
from stubserver.errors import invalid
from stubserver.worlds.base import Row

MAX_PIECE = 204_800
"""Maximum size of a piece, in bytes."""
MAX_FILE = {"image": 5 * 1024**2, "doc": 50 * 1024**2}
"""Kind of file -> maximum size, in bytes."""
LIFETIME = timedelta(days=1)
"""How long after its first piece an upload expires."""


def upload_media_chunk(call: Call) -> dict[str, Any]:
    """Receive the first or the next piece of a file (R708)."""
    piece = call.files.get("image") or call.files.get("document")
    if piece is None:
        raise invalid("image", "required", "Send the piece as a file in the field image or document.")
    start, size = _checked_range(call, piece)
    upload = _upload(call) if "upload_id" in call.body else _new_upload(call, piece, size)
    if (start, size) != (upload["offset"], upload["size"]):
        expected = f"bytes {upload['offset']}-.../{upload['size']}"
        raise invalid("Content-Range", "invalid", f"The next piece of this upload is {expected}.")
    offset = start + len(piece.content)
    call.world.uploads.put({**upload, "offset": offset})
    call.world.pieces.put({"upload_id": upload["upload_id"], "start": start, "content": piece.content})
    return {"upload_id": upload["upload_id"], "offset": str(offset), "expires": upload["expires"]}


def complete_media_upload(call: Call) -> MediaView:
    """Make a media from an upload that has all its pieces (R709)."""
    upload = _upload(call)
    if upload["offset"] != upload["size"]:
        raise invalid("upload_id", "invalid", f"{upload['offset']} of {upload['size']} bytes have arrived.")
    pieces = [row["content"] for row in call.world.pieces.where("upload_id", upload["upload_id"])]
    checksum = _checksum(pieces)
    if checksum != call.body["md5"].lower():
        raise invalid("md5", "invalid", f"The file's checksum is {checksum}.")
    kind = call.body.get("type", upload["kind"])
    kind = "doc" if kind in ("document", "file") else kind
    _check_size("upload_id", "doc" if kind == "doc" else "image", upload["size"])
    picture = None if kind == "doc" else pictures.read("image", b"".join(pieces))
    _forget(call, upload)
    media = _new_media(call, type=kind, title=_printable(upload["name"]))
    if picture:
        pictures.keep(call.world, MediaView.folder, media.row["id"], "picture", picture)
    return media


def create_media(call: Call) -> MediaView:
    """Make a media from a URL or an embedded object, without fetching it (R710)."""
    match call.body["type"]:
        case "url":
            url = _required(call, "url")
            found = {
                "embed_type": "sc_link",
                "embed_id": url,
                "url": url,
                "metadata": {"title": _title(url), "url": url},
            }
            return _new_media(call, type="url", url=url, title=_title(url), embed=found)
        case "image":
            url = _required(call, "url")
            return _new_media(call, type="image", url=url, image=url, title=_title(url))
        case "embed":
            embed = {"url": None, "metadata": {}} | _required(call, "embed")
            return _new_media(call, type="embed", url=embed["url"], embed=embed)
    field = "event_object" if "event_object" in call.body else "shared_object"
    raise invalid(field, "does_not_exist", "There is nothing here that could be shared.")


def click_media(call: Call) -> None:
    """Accepted; clicks are not counted (R711)."""


def _checked_range(call: Call, piece: Upload) -> tuple[int, int]:
    """First byte and file size, from the Content-Range. Raises a 400 refusal if these and the piece do not match."""
    numbers, _, size = call.query["Content-Range"].removeprefix("bytes ").partition("/")
    start, end = map(int, numbers.split("-"))
    if not piece.content or end - start + 1 != len(piece.content) or end >= int(size):
        message = f"It does not match the piece, which has {len(piece.content)} bytes."
        raise invalid("Content-Range", "invalid", message)
    if len(piece.content) > MAX_PIECE:
        raise invalid("Content-Range", "invalid", f"A piece may have at most {MAX_PIECE} bytes.")
    return start, int(size)


def _checksum(pieces: Iterable[bytes]) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


def _forget(call: Call, upload: Row) -> None:
    """Delete an upload and its pieces."""
    for piece in call.world.pieces.keys("upload_id", upload["upload_id"]):
        call.world.pieces.delete(piece)
    call.world.uploads.delete(upload["upload_id"])


def _new_upload(call: Call, piece: Upload, size: int) -> Row:
    kind = _kind(piece)
    _check_size("Content-Range", kind, size)
    _forget_expired(call)
    return {
        "upload_id": call.world.token(f"upload {call.world.uploads.next_id()}"),
        "user_id": call.user_id,
        "kind": kind,
        "name": piece.name,
        "size": size,
        "offset": 0,
        "expires": call.world.clock.now() + LIFETIME,
    }


def _forget_expired(call: Call) -> None:
    """Make room. The order of uploads says nothing: clocks are set back, and worlds are read from stores."""
    now = call.world.clock.now()
    for upload in [row for row in call.world.uploads if row["expires"] <= now]:
        _forget(call, upload)


def _check_size(field: str, kind: str, size: int) -> None:
    if size > MAX_FILE[kind]:
        raise invalid(field, "invalid", f"A file of type {kind} may have at most {MAX_FILE[kind]} bytes.")


def _kind(piece: Upload) -> str:
    media_type = piece.media_type or mimetypes.guess_type(piece.name)[0] or ""
    return "image" if media_type.lower().startswith("image/") else "doc"


def _upload(call: Call) -> Row:
    """The upload that the body names. Raises a 400 refusal unless it is the caller's and has not expired."""
    upload = call.world.uploads.get(call.body["upload_id"])
    if upload is None or upload["user_id"] != call.user_id or upload["expires"] <= call.world.clock.now():
        raise invalid("upload_id", "does_not_exist", "You have no such upload; it may have expired.")
    return upload


def _required(call: Call, field: str) -> Any:
    return required(call.body, field, f"Media of type {call.body['type']}")


def _title(url: str) -> str:
    """A title made from the end of the URL, since the page itself is not fetched."""
    parts = urlsplit(url)
    last = unquote(parts.path.rstrip("/").rpartition("/")[2])
    return _printable(last.replace("-", " ").replace("_", " ")) or parts.netloc.rpartition("@")[2] or url


def _printable(text: str) -> str:
    """The text with unprintable characters and runs of whitespace replaced by single spaces."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def _new_media(call: Call, **fields: Any) -> MediaView:
    number = call.world.medias.next_id()
    if "embed" in fields:
        fields["embed"] = {**fields["embed"], "id": number}
    media = {**call.operation.blank, **fields, "id": number, "added_at": call.world.clock.now()}
    return MediaView(call, call.world.medias.put(media))
