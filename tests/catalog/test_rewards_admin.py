"""Rewards in the admin: made by a person, judged like the API, nothing typed is lost."""

from datetime import datetime, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from PIL import Image

from catalog import keeping, pictures, sweeping
from catalog.keeping import Picture
from catalog.models import Reward, RewardPrice, Stock, Waiting
from catalog.schemas import RewardIn
from loyalty.models import AuditRecord
from loyalty.problems import Problem
from tests.api import till
from tests.factories import StoreFactory, give, member
from tests.staff import signed_in, text

pytestmark = pytest.mark.django_db
PAGE = "/admin/catalog/reward/"
FORM: dict[str, Any] = {
    "title": "Mug", "code": "mug", "kind": "goods", "points": "400", "money": "", "cost": "3.20", "fulfilment": "shop",
    "title_zh_hans": "马克杯", "voucher_uses": "1", "voucher_valid": "2", "voucher_unit": "W",
    "stock-TOTAL_FORMS": "1", "stock-INITIAL_FORMS": "0", "stock-0-store": "", "stock-0-left": "",
    "prices-TOTAL_FORMS": "0", "prices-INITIAL_FORMS": "0",
}  # fmt: skip
PRICE: dict[str, Any] = {
    "prices-TOTAL_FORMS": "1", "prices-0-name": "Happy hour", "prices-0-points": "300", "prices-0-weekdays": ["3"],
    "prices-0-hours_from": "15:00", "prices-0-hours_to": "17:00",
}  # fmt: skip


def photograph(size: tuple[int, int] = (1600, 900), kind: str = "JPEG", **given: Any) -> SimpleUploadedFile:
    out = BytesIO()
    Image.new("RGB", size, "#b76b1c").save(out, kind, **given)
    return SimpleUploadedFile(f"mug.{kind.lower()}", out.getvalue())


def made(client: Client, **given: Any) -> Reward:
    answer: Any = client.post(f"{PAGE}add/", FORM | given)
    assert answer.status_code == 302, answer.context["errors"]
    return Reward.objects.get(code=given.get("code", "mug"))


def errors(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 200
    return dict(answer.context["adminform"].form.errors)


def test_a_marketer_makes_a_reward_with_stock_and_another_price() -> None:
    shop = StoreFactory.create()
    marketer = signed_in("marketer")
    one = made(marketer, **PRICE | {"stock-0-store": str(shop.pk), "stock-0-left": "3", "stores": ["S1"]})
    assert one.voucher
    assert (one.title, one.cost, one.voucher["valid_for"]) == ("Mug", Decimal("3.2"), "P2W")
    assert one.translations == {"zh-hans": {"title": "马克杯"}}
    assert [(row.store, row.left) for row in one.stock.all()] == [(shop, 3)]
    [price] = one.prices.all()
    assert (price.points, price.weekdays, price.hours) == (300, [3], ["15:00", "17:00"])
    written = AuditRecord.objects.filter(object_type="catalog.reward").order_by("id")
    assert [record.verb for record in written] == ["reward.added", "reward.counted"]


def test_what_is_typed_for_the_stock_is_a_difference_to_what_was_shown() -> None:
    marketer = signed_in("marketer")
    one = made(marketer, **{"stock-0-left": "7"})
    row = Stock.objects.get()
    given = {
        "stock-INITIAL_FORMS": "1", "stock-0-id": str(row.pk), "stock-0-reward": str(one.pk), "initial-stock-0-left": "7",
        "stock-0-left": "10",
    }  # fmt: skip
    Stock.objects.update(left=5)  # two were redeemed while the page was open
    assert marketer.post(f"{PAGE}{one.pk}/change/", FORM | given).status_code == 302
    assert Stock.objects.get().left == 8
    fewer = {"stock-0-left": "0", "initial-stock-0-left": "10", "title": "Cup"}
    refused = marketer.post(f"{PAGE}{one.pk}/change/", FORM | given | fewer)
    assert "There are only 8 left by now." in text(refused)
    assert 'value="Cup"' in text(refused)
    assert (Reward.objects.get().title, Stock.objects.get().left) == ("Mug", 8)
    assert marketer.post(f"{PAGE}{one.pk}/change/", FORM | given | {"stock-0-DELETE": "on"}).status_code == 302
    assert not Stock.objects.exists()


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"title": ""}, "title"),
        ({"code": "no code"}, "code"),
        ({"code": "there"}, "code"),
        ({"points": "-1"}, "points"),
        ({"kind": "voucher", "voucher_type": "amount"}, "voucher_amount"),
        ({"kind": "voucher", "voucher_type": "percent", "voucher_amount": "120"}, "voucher_amount"),
        ({"kind": "code"}, "code_pool"),
        ({"hours_from": "10:00"}, "hours_to"),
        ({"hours_from": "9", "hours_to": "10:00"}, "hours_from"),
        ({"starts_on": "2026-02-02", "ends_on": "2026-02-01"}, "ends_on"),
        ({"money": "1.234"}, "money"),
    ],
)
def test_a_wrong_field_is_told_at_the_field_and_nothing_is_kept(given: dict[str, Any], field: str) -> None:
    Reward.objects.create(code="there", title="There", kind="goods", points=1)
    answer = signed_in("marketer").post(f"{PAGE}add/", FORM | given)
    assert field in errors(answer)
    assert Reward.objects.count() == 1


def test_a_wrong_price_beneath_keeps_the_reward_from_being_written() -> None:
    answer: Any = signed_in("marketer").post(f"{PAGE}add/", FORM | PRICE | {"prices-0-hours_to": "15:00"})
    assert "The hours end when they begin." in text(answer)
    assert not Reward.objects.exists()


def test_a_picture_is_drawn_anew_in_two_sizes_and_served_for_good() -> None:
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "Camera of Wei", 6  # the maker, and turned by a quarter
    one = made(signed_in("marketer"), picture=photograph(exif=exif), picture_text="A brown mug")
    for address, size in zip(pictures.addresses(one.picture.name).values(), ((675, 1200), (270, 480)), strict=True):  # type: ignore[union-attr]
        answer: Any = Client().get(address)
        assert (answer.status_code, answer["Content-Type"]) == (200, "image/webp")
        assert "immutable" in answer["Cache-Control"]
        content = b"".join(answer.streaming_content)
        assert b"Wei" not in content
        drawn = Image.open(BytesIO(content))
        assert (drawn.size, dict(drawn.getexif())) == (size, {})
    assert Client().get("/media/rewards/" + "0" * 32 + ".webp").status_code == 404
    assert Client().get("/media/rewards/../settings.webp").status_code == 404


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (SimpleUploadedFile("mug.jpg", b"<?php system($_GET[0]);"), "no picture that can be read"),
        (SimpleUploadedFile("mug.svg", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"), "no picture"),
        (SimpleUploadedFile("mug.jpg", photograph().read()[:400]), "no picture that can be read"),
        (photograph((10, 10)), "smaller than 64"),
        (photograph((8000, 5001), "PNG"), "more than 40 million"),
        (photograph((20000, 20000), "PNG"), "more than 40 million"),
        (SimpleUploadedFile("mug.jpg", b"\0" * (pictures.BYTES_MAX + 1)), "larger than 10 MB"),
        (photograph(kind="GIF"), "Use JPEG, PNG or WebP"),
    ],
    ids=["script", "svg", "cut", "tiny", "large", "bomb", "heavy", "gif"],
)
def test_a_bad_picture_is_told_and_loses_nothing(file: SimpleUploadedFile, said: str) -> None:
    file.seek(0)
    answer = signed_in("marketer").post(f"{PAGE}add/", FORM | {"picture": file, "picture_text": "A mug", "description": "Heavy."})
    assert said in str(errors(answer)["picture"])
    assert "Heavy." in text(answer)
    assert 'value="马克杯"' in text(answer)


def test_a_good_picture_is_still_there_when_another_field_has_to_be_mended() -> None:
    marketer = signed_in("marketer")
    answer = marketer.post(f"{PAGE}add/", FORM | {"picture": photograph()})
    assert list(errors(answer)) == ["picture_text"]
    kept = answer.context["adminform"].form.kept()
    assert f'value="{kept}"' in text(answer)
    one = made(marketer, picture_kept=kept, picture_text="A mug")
    assert one.picture.name == kept
    assert made(marketer, code="other", picture_kept="rewards/../../etc/passwd").picture.name == ""
    gone = FORM | {"picture_remove": "on", "picture_text": ""}
    assert marketer.post(f"{PAGE}{one.pk}/change/", gone).status_code == 302
    assert Reward.objects.get(code="mug").picture.name == ""
    assert default_storage.exists(kept)  # others may show it


def test_pictures_that_nobody_shows_go_from_the_disk_after_a_day() -> None:
    marketer, now = signed_in("marketer"), timezone.now()
    shown = made(marketer, picture=photograph(), picture_text="A mug")
    other = made(marketer, code="cup", picture=photograph((300, 200)), picture_text="A cup")
    kept, replaced = str(shown.picture.name), str(other.picture.name)
    change = FORM | {"picture": photograph(), "picture_text": "A mug", "title": "Cup"}
    assert marketer.post(f"{PAGE}{other.pk}/change/", change).status_code == 302
    assert Reward.objects.get(code="cup").picture.name == kept
    default_storage.save("rewards/notes.txt", ContentFile(b"not ours"))
    later = now + timedelta(days=2)
    assert sweeping.sweep(now=now) == 0, "somebody may be mending a form"
    assert sweeping.sweep(now=later) >= 1
    assert not default_storage.exists(replaced)
    assert not default_storage.exists(pictures.small(replaced))
    assert default_storage.exists(kept)
    assert default_storage.exists("rewards/notes.txt")
    with pytest.raises(Problem, match="not there any more"):
        keeping.put(
            "cup",
            RewardIn(title="Cup", kind="goods", points=1, picture_text="A"),
            actor=uuid4(),
            now=now,
            picture=Picture(replaced),
        )
    assert Reward.objects.get(code="cup").picture.name == kept
    Reward.objects.filter(code="cup").update(picture="")
    assert sweeping.sweep(now=later) == 0, "one of two still shows it"
    Reward.objects.update(picture="")
    assert sweeping.sweep(now=later) == 1
    assert not default_storage.exists(kept)


def test_a_put_leaves_the_picture_and_its_words() -> None:
    made(signed_in("marketer"), picture=photograph(), picture_text="A mug")
    shown = till("configure")("PUT", "/rewards/mug", {"title": "Mug", "kind": "goods", "points": 1}).json()
    assert (shown["picture_text"], shown["picture"]["small"][-9:]) == ("A mug", "-480.webp")
    assert (
        till("configure")("PUT", "/rewards/mug", {"title": "M", "kind": "goods", "points": 1, "picture_text": ""}).status_code
        == 422
    )


@pytest.mark.parametrize(
    ("mode", "kind"), [("L", "PNG"), ("LA", "PNG"), ("P", "PNG"), ("1", "PNG"), ("RGBA", "WEBP"), ("CMYK", "JPEG")]
)
def test_pictures_of_every_make_are_taken(mode: str, kind: str) -> None:
    out = BytesIO()
    Image.new("RGBA" if mode == "RGBA" else "RGB", (1300, 200), "#b76b1c").convert(mode).save(out, kind)
    name = pictures.keep(SimpleUploadedFile("mug", out.getvalue()))
    with default_storage.open(pictures.small(name)) as file:
        assert Image.open(file).size == (480, 74)


def test_the_page_says_what_a_point_costs_and_whom_it_reaches() -> None:
    one = made(signed_in("marketer"))
    rich, poor = member(), member()
    give(rich.holder, 400, at=timezone.now())
    give(poor.holder, 399, at=timezone.now())
    Waiting.objects.create(reward=one, member=poor)
    page: Any = signed_in("finance").get(f"{PAGE}{one.pk}/change/")
    facts = {str(name): str(value) for name, value, _note in page.context["facts"]}
    assert facts == {
        "state": "offered", "left": "–", "waiting": "1", "cost per point": "0.008 EUR", "suggested points": "320",
        "reach": "50.0 %",
    }  # fmt: skip
    assert "50.0 %" in text(signed_in("finance").get(PAGE))


def test_a_voucher_that_keeps_its_rest_is_made_and_shown_again() -> None:
    marketer = signed_in("marketer")
    gift = {"kind": "voucher", "voucher_type": "amount", "voucher_amount": "30", "voucher_keeps_rest": "on", "voucher_uses": "5"}
    one = made(marketer, **gift)
    assert one.voucher
    assert (one.voucher["keeps_rest"], one.voucher["uses"], one.voucher["amount"]) == (True, 1, "30.00")
    page: Any = marketer.get(f"{PAGE}{one.pk}/change/")
    assert page.context["adminform"].form.initial["voucher_keeps_rest"] is True
    marketer.post(f"{PAGE}{one.pk}/change/", FORM | gift | {"voucher_type": "percent"})
    one.refresh_from_db()
    assert (one.voucher["keeps_rest"], one.voucher["uses"]) == (False, 5)


def test_a_reward_is_withdrawn_by_a_button_and_comes_back() -> None:
    marketer = signed_in("marketer")
    one = made(marketer)
    assert "What members redeemed stays theirs." in text(marketer.post(f"{PAGE}{one.pk}/withdraw-it/", follow=True))
    one.refresh_from_db()
    assert one.withdrawn_at
    assert marketer.post(f"{PAGE}{one.pk}/change/", FORM | {"points": "500"}).status_code == 302
    one.refresh_from_db()
    assert (one.points, bool(one.withdrawn_at)) == (500, True)
    marketer.post(f"{PAGE}{one.pk}/offer-it/")
    one.refresh_from_db()
    assert one.withdrawn_at is None


@pytest.mark.parametrize("role", ["manager", "finance", "support"])
def test_others_only_look(role: str) -> None:
    StoreFactory.create()
    one = made(signed_in("owner"), **PRICE | {"stock-0-left": "2"})
    other = signed_in(role, stores=["S1"] if role == "manager" else [])
    assert other.get(f"{PAGE}{one.pk}/change/").status_code == 200
    assert other.post(f"{PAGE}add/", FORM).status_code == 403
    assert other.post(f"{PAGE}{one.pk}/change/", FORM | {"points": "1"}).status_code == 403
    assert other.post(f"{PAGE}{one.pk}/withdraw-it/").status_code == 403
    assert (RewardPrice.objects.count(), Reward.objects.get().points) == (1, 400)


def test_a_marketer_of_one_shop_does_not_keep_what_all_shops_offer() -> None:
    StoreFactory.create()
    bound = signed_in("marketer", stores=["S1"])
    for page in (PAGE, "/admin/catalog/codepool/", "/admin/catalog/category/"):
        assert bound.post(f"{page}add/", FORM).status_code == 403


def test_a_festival_holds_from_an_hour_of_its_first_day_to_an_hour_of_its_last() -> None:
    marketer = signed_in("marketer")
    when = {"prices-0-starts_on": "2027-02-05", "prices-0-starts_time": "18:00", "prices-0-ends_on": "2027-02-07"}
    named = {"prices-0-name_fr": "Nouvel An", "prices-0-name_zh_hans": "春节"}
    one = made(marketer, **PRICE | when | named | {"prices-0-ends_time": "22:00", "ends_on": "2027-03-01"})
    price, zone = one.prices.get(), ZoneInfo("Europe/Paris")
    assert (price.starts_at, price.ends_at) == (
        datetime(2027, 2, 5, 18, tzinfo=zone), datetime(2027, 2, 7, 22, tzinfo=zone),
    )  # fmt: skip
    assert one.ends_at == datetime(2027, 3, 2, tzinfo=zone)
    assert price.translations == {"fr": {"name": "Nouvel An"}, "zh-hans": {"name": "春节"}}
    page = text(marketer.get(f"{PAGE}{one.pk}/change/"))
    assert 'name="prices-0-starts_time" value="18:00"' in page
    assert 'name="prices-0-ends_time" value="22:00"' in page
    assert 'name="ends_time" value=' not in page
    for wrong, told in (({"ends_time": "25:00"}, "Write an hour"), ({"starts_time": "18:00"}, "Say on which day.")):
        assert told in text(marketer.post(f"{PAGE}add/", FORM | {"code": "other"} | wrong))
