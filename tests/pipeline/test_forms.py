"""Forms as the vendor's pages send them."""

from stubserver.api.images import png
from tests.support.client import Api


def test_create_course_reads_the_multipart_form_of_the_vendor(api: Api) -> None:
    fields = {
        "name": "From a form",
        "description": "Grüße, and 2 lines\r\nof text",
        "type": "self-paced",
        "categories[0]": "2",
        "categories[1]": "1",
        "products": "[]",
        "0": "[object Object]",
    }
    cover = {"image_original": ("cover.png", png(8, "a") + bytes(range(256)) * 9000, "image/png")}
    response = api.as_("creator").post("/course/", data=fields, files=cover)
    assert response.status_code == 201
    course = response.json()
    assert (course["name"], course["description"], course["privacy"]) == (fields["name"], fields["description"], "")
    assert [category["id"] for category in course["categories"]] == [2, 1]
    assert "products" not in course
    assert "image_original" not in course


def test_patch_course_takes_a_new_cover_as_multipart(api: Api) -> None:
    creator = api.as_("creator")
    before = creator.get("/course/1/").json()
    response = creator.patch("/course/1/", files={"image_original": ("a.png", png(8, "b"), "image/png")})
    assert response.status_code == 200
    assert response.json()["image_big"] != before["image_big"]
    assert response.json()["name"] == before["name"]
