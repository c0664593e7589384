"""Media; for those without a URL of their own, such as uploads, the server makes one."""

from typing import Any

from stubserver.api import images, pictures
from stubserver.api.views import OMIT, View
from stubserver.worlds.base import Row

_PICTURES = ("image", "eimage")
_RENDITION, _THUMBNAIL = "image_bigger", "image_medium"


class MediaView(View):
    """An image, a document or a link (R309, R709)."""

    folder = "medias"
    """The part of the URL that is common to all pictures of media."""

    @property
    def url(self) -> Any:
        """The URL that was given, or that of the uploaded file."""
        if self.row["url"] is not None:
            return self.row["url"]
        if self.row["type"] == "doc":
            return images.document_url(self.call.base_url, "documents", "document", self._upload)
        return self.image

    @property
    def image(self) -> Any:
        """URL of the image or its placeholder; None if there is no image."""
        if uploaded := self._uploaded:
            return pictures.addresses(self.call, uploaded)[_RENDITION]
        if self._has_placeholder:
            return images.url(self.call.base_url, self.folder, _RENDITION, "picture", self._upload)
        return self.row["image"]

    @property
    def image_width(self) -> Any:
        """Width of the image in pixels."""
        return self._size("width")

    @property
    def image_height(self) -> Any:
        """Height of the image in pixels."""
        return self._size("height")

    @property
    def image_thumbnail(self) -> Any:
        """A small picture of a document's first page, a placeholder; left out for all other media (R718)."""
        if self.row["type"] != "doc":
            return OMIT
        address = images.url(self.call.base_url, "documents", _THUMBNAIL, "document", self._upload)
        size = images.SIZES[_THUMBNAIL]
        return {"url": address, "width": size, "height": size, "color": None}

    def _size(self, side: str) -> Any:
        if uploaded := self._uploaded:
            return uploaded[side]
        return images.SIZES[_RENDITION] if self._has_placeholder else self.row[f"image_{side}"]

    @property
    def _uploaded(self) -> Row | None:
        return self.call.world.pictures.get((self.folder, self.row["id"]))

    @property
    def _has_placeholder(self) -> bool:
        return self.row["type"] in _PICTURES and self.row["image"] is None

    @property
    def _upload(self) -> str:
        return f"{self.call.world.settings.seed}:{self.row['id']}"
