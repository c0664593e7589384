"""How media are shown: those without a URL of their own get one."""

from typing import Any

import pytest

from stubserver.api.views.media import MediaView
from stubserver.settings import Settings
from stubserver.worlds.snapshot import Fixture
from stubserver.worlds.world import World
from tests.support.calls import called

PICTURE = "http://stub.test/upfiles/medias/bigger/picture_"


def seen(world: World, **fields: Any) -> MediaView:
    """The first media item of the fixture, with these fields changed."""
    return MediaView(called(world), {**world.medias[1], **fields})


@pytest.mark.parametrize("kind", ["image", "eimage"])
def test_an_uploaded_picture_has_a_placeholder(world: World, kind: str) -> None:
    """R709: its size is known."""
    view = seen(world, type=kind)
    assert view.image.startswith(PICTURE)
    assert view.url == view.image
    assert (view.image_width, view.image_height) == (512, 512)


def test_a_document_leads_to_the_page_that_stands_for_it(world: World) -> None:
    view = seen(world, type="doc")
    assert view.url.startswith("http://stub.test/upfiles/documents/document_")
    assert view.url.endswith(".pdf")
    assert (view.image, view.image_width, view.image_height) == (None, None, None)


def test_addresses_of_its_own_stay_as_they_are(world: World) -> None:
    own = {"url": "https://video.example/1", "image": "https://video.example/1.png", "image_width": 7}
    view = seen(world, type="image", **own, image_height=8)
    assert (view.url, view.image, view.image_width, view.image_height) == (*list(own.values())[:2], 7, 8)
    assert seen(world, type="url", url="https://page.example/").image is None


def test_placeholders_differ_by_upload_and_by_seed(world: World, default_fixture: Fixture) -> None:
    other = World("w", default_fixture, Settings(seed=7))
    found = [seen(world).image, seen(world, id=2).image, seen(other).image]
    assert len(set(found)) == 3
