"""Media; for those without a URL of their own, such as uploads, the server makes one."""

from typing import Any

from stubserver.api import images
from stubserver.api.views import View

_PICTURES = ("image", "eimage")
_RENDITION = "image_bigger"


class MediaView(View):
    """An image, a document or a link (R309, R709)."""

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
        if self._has_placeholder:
            return images.url(self.call.base_url, "medias", _RENDITION, "picture", self._upload)
        return self.row["image"]

    @property
    def image_width(self) -> Any:
        """Width of the image in pixels."""
        return images.SIZES[_RENDITION] if self._has_placeholder else self.row["image_width"]

    @property
    def image_height(self) -> Any:
        """Height of the image in pixels."""
        return images.SIZES[_RENDITION] if self._has_placeholder else self.row["image_height"]

    @property
    def _has_placeholder(self) -> bool:
        return self.row["type"] in _PICTURES and self.row["image"] is None

    @property
    def _upload(self) -> str:
        return f"{self.call.world.settings.seed}:{self.row['id']}"
