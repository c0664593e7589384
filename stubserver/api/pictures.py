"""Uploaded pictures: checked as the framework's image field does (R133), kept in the world, shown as sent (R123).

Pillow reads what says what a file is and how large the picture is, but decodes no pixel. Whatever a file holds, that is
little work: it is read in a bounded number of steps, and nothing depends on the size of the picture.
"""

import base64
import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from stubserver.addressing import base_path
from stubserver.api import images
from stubserver.call import Call
from stubserver.errors import Problem, Refusal
from stubserver.worlds.base import Row
from stubserver.worlds.registry import DEFAULT
from stubserver.worlds.world import World

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

MEDIA_TYPES = {
    "PNG": "image/png",
    "JPEG": "image/jpeg",
    "GIF": "image/gif",
    "WEBP": "image/webp",
    "BMP": "image/bmp",
}
"""Format -> the Content-Type of such a picture. Those that every browser shows; the framework knows many more."""
EXTENSIONS = {
    **{"png": "PNG", "apng": "PNG", "jpg": "JPEG", "jpeg": "JPEG", "jpe": "JPEG", "jfif": "JPEG"},
    **{"gif": "GIF", "webp": "WEBP", "bmp": "BMP", "dib": "BMP"},
}
"""Extension of a file -> the format that it is usual for; the first one of each format is written."""
MAX_NAME = 100
"""How long the name of a file may be, in characters: the framework's default."""
MAX_PIXELS = 178_956_970
"""How many pixels a picture may have: what Pillow calls a decompression bomb has more."""
_MAX_READS, _MAX_READS_OF_ALL = 1_000, 10_000
"""How often the file may be read up to its pixels, and to check all of it. Ordinary files need some dozens; others are
made to keep Pillow busy."""
_MAX_STEM = 80
_NOT_A_PICTURE = (
    "Upload a valid image. The file you uploaded was either not an image or a corrupted image. "
    f"Known formats: {', '.join(MEDIA_TYPES)}."
)


@dataclass(frozen=True)
class Picture:
    """A file that is a picture."""

    content: bytes
    format: str
    """A key of MEDIA_TYPES."""
    width: int
    height: int


class _Bounded(io.BytesIO):
    """A file that can only be read a number of times."""

    left = _MAX_READS

    def read(self, size: int | None = -1, /) -> bytes:
        self.left -= 1
        if self.left < 0:
            raise OSError("This file has too many parts.")
        return super().read(size)


def checked(field: str, name: str, content: bytes) -> Picture:
    """The picture in a file of this name. Raises a 400 refusal about `field` if there is none, or the name does not fit
    (R133)."""
    name = name.replace("\\", "/").rpartition("/")[2]
    if not content:
        raise _refused(field, "empty", "The submitted file is empty.")
    if len(name) > MAX_NAME:
        message = f"Ensure this filename has at most {MAX_NAME} characters (it has {len(name)})."
        raise _refused(field, "max_length", message)
    picture = read(field, content)
    extension = PurePosixPath(name).suffix.removeprefix(".").lower()
    if extension not in EXTENSIONS:
        message = f'File extension "{extension}" is not allowed. Allowed extensions are: {", ".join(EXTENSIONS)}.'
        raise _refused(field, "invalid_extension", message)
    return picture


def read(field: str, content: bytes) -> Picture:
    """The picture in a file. Raises a 400 refusal about `field` if there is none (R133)."""
    picture = _read(content)
    if picture is None:
        raise _refused(field, "invalid_image", _NOT_A_PICTURE)
    return picture


def _refused(field: str, code: str, message: str) -> Refusal:
    return Refusal(400, [Problem(code, message, field)])


def _read(content: bytes) -> Picture | None:
    """The picture in a file, or None if it is no complete picture in a known format."""
    for reader in _readers():
        try:
            found = reader(file := _Bounded(content))
        except Exception:  # noqa: S112 (whatever Pillow runs into, this is no such picture)
            continue
        width, height = found.size
        if width * height > MAX_PIXELS or found.format not in MEDIA_TYPES:
            return None
        file.left = _MAX_READS_OF_ALL
        try:
            found.verify()
        except Exception:
            return None
        return Picture(content, found.format, width, height)
    return None


def _readers() -> "tuple[type[ImageFile], ...]":
    """What reads the formats. Not `Image.open`, which warns about large pictures on standard error."""
    from PIL.BmpImagePlugin import BmpImageFile
    from PIL.GifImagePlugin import GifImageFile
    from PIL.JpegImagePlugin import JpegImageFile
    from PIL.PngImagePlugin import PngImageFile
    from PIL.WebPImagePlugin import WebPImageFile

    return PngImageFile, JpegImageFile, GifImageFile, WebPImageFile, BmpImageFile


def keep(world: World, folder: str, number: int, stem: str, picture: Picture) -> None:
    """Keep the picture of a row, in place of an earlier one. Its file name begins with `stem`."""
    digest = hashlib.sha256(picture.content).hexdigest()
    extension = next(name for name, kind in EXTENSIONS.items() if kind == picture.format)
    for attempt in range(len(world.pictures) + 1):
        upload = f"{world.settings.seed}:{folder}:{number}:{digest}:{attempt}"
        name = f"{images.file_name(stem[:_MAX_STEM], upload)}.{extension}"
        if not set(world.pictures.keys(("folder", "name"), (folder, name))) - {(folder, number)}:
            break
    world.pictures.put(
        {
            "folder": folder,
            "number": number,
            "name": name,
            "format": picture.format,
            "width": picture.width,
            "height": picture.height,
            "content": base64.b64encode(picture.content).decode(),
        }
    )


def addresses(call: Call, picture: Row) -> Mapping[str, str]:
    """Rendition -> the absolute URL of an uploaded picture, which leads to its world even without a header."""
    origin, world = call.base_url, call.world.name
    if not call.base_path and world != DEFAULT:
        origin += base_path(world)
    return {name: images.address(origin, picture["folder"], name, picture["name"]) for name in images.SIZES}


def found(world: World, folder: str, name: str) -> tuple[bytes, str] | None:
    """Content and Content-Type of an uploaded picture, or None if the world has no such file."""
    for row in world.pictures.where(("folder", "name"), (folder, name)):
        try:
            return base64.b64decode(row["content"]), MEDIA_TYPES[row["format"]]
        except (KeyError, ValueError):  # a snapshot that no server has written
            return None
    return None
