"""Signatures of webhooks: whose are taken, and until when."""

import base64
import hashlib
import hmac
import json
import string
import time

import pytest
from django.test import Client, override_settings

from realtime_wall.wall.models import Tweet
from realtime_wall.wall.sources import webhook_signature
from realtime_wall.wall.sources.webhook import LARGEST
from realtime_wall.wall.sources.webhook_signature import WINDOW, BadSignature, signature_of
from tests.wall.sources import test_webhook

SECRET = "the harbour at night"
KEY = SECRET.encode()
BODY = b'{"text": "Doors"}'
NOW = 1_800_000_000


def mac(key, sent_id, sent_at, body):
    made = hmac.new(key, f"{sent_id}.{sent_at}.".encode() + body, hashlib.sha256)
    return "v1," + base64.b64encode(made.digest()).decode()


def signed(body=BODY, *, sent_id="a-1", sent_at=NOW, key=KEY, **changed):
    headers = {"id": sent_id, "timestamp": str(sent_at), "signature": mac(key, sent_id, sent_at, body)}
    return {f"webhook-{name}": value for name, value in (headers | changed).items() if value is not None}


def check(headers, body=BODY, secret=SECRET):
    signature_of(headers, NOW).check(body, secret)


def test_who_knows_the_secret_signs():
    check(signed())


def test_the_example_of_the_specification_is_understood():
    """Of Standard Webhooks, whose secrets are keys in base64."""
    key = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }

    signature_of(headers, 1614265330.0).check(b'{"test": 2432232314}', key)


@pytest.mark.parametrize("later", [-WINDOW, 0, WINDOW])
def test_clocks_may_differ(later):
    check(signed(sent_at=int(NOW + later)))


@pytest.mark.parametrize("later", [-WINDOW - 1, WINDOW + 1])
def test_what_is_old_or_of_the_future_is_refused_before_its_body_is_read(later):
    with pytest.raises(BadSignature, match="seconds off"):
        signature_of(signed(sent_at=int(NOW + later)), NOW)


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        (signed(id=None), "webhook-id"),
        (signed(sent_id="a.1"), "webhook-id"),
        (signed(id="x" * 129), "webhook-id"),
        (signed(timestamp=None), "webhook-timestamp"),
        (signed(timestamp="-1"), "webhook-timestamp"),
        (signed(timestamp="٣"), "webhook-timestamp"),
        (signed(timestamp="9" * 5000), "webhook-timestamp"),
        (signed(key=b"another secret, just as long"), "wrong"),
        (signed(body=b"another body"), "wrong"),
        (signed(id="a-2"), "wrong"),
        (signed(timestamp=str(NOW + 1)), "wrong"),
        (signed(signature=""), "wrong"),
        (signed(signature="v1,"), "wrong"),
        (signed(signature="v1,é"), "wrong"),
        (signed(signature="v1,%%%"), "wrong"),
        (signed(signature=signed()["webhook-signature"].replace("v1,", "v2,")), "wrong"),
        (signed(signature="v1,AAAA " * 8 + signed()["webhook-signature"]), "wrong"),
    ],
)
def test_what_is_not_signed_well_is_refused_with_a_reason(headers, reason):
    with pytest.raises(BadSignature, match=reason):
        check(headers)


def test_a_signature_has_one_way_to_be_written():
    """Of its last letter base64 does not use all bits."""
    letters = string.ascii_uppercase + string.ascii_lowercase + string.digits + "+/"
    made = mac(KEY, "a-1", NOW, BODY)
    for letter in letters:
        other = made[:-2] + letter + "="
        if other != made:
            with pytest.raises(BadSignature, match="wrong"):
                check(signed(signature=other))


def test_a_sender_that_changes_its_secret_signs_with_both():
    other = mac(b"the next secret", "a-1", NOW, BODY)

    check(signed(signature=f"{other} {signed()['webhook-signature']}"))


@pytest.mark.threat("S38")
def test_signatures_are_compared_in_constant_time(monkeypatch):
    compared = []
    monkeypatch.setattr(webhook_signature, "compare_digest", lambda *pair: compared.append(pair))

    with pytest.raises(BadSignature):
        check(signed())
    assert len(compared) == 1


# -- over HTTP

site = test_webhook.site
urlpatterns = test_webhook.urlpatterns


def post(body=BODY, headers=None):
    headers = signed(body, sent_at=int(time.time())) if headers is None else headers
    return Client().post("/wall/hook/", body, content_type="application/json", headers=headers)


def test_a_signed_post_is_on_the_wall_and_the_same_again_changes_nothing():
    assert post().json()["changed"]
    assert not post().json()["changed"]
    assert Tweet.objects.count() == 1


def test_a_signature_that_is_wrong_is_no_way_to_the_secret_nor_the_other_way_round():
    secret = {"Authorization": f"Bearer {SECRET}"}

    assert post(headers=signed(sent_at=0) | secret).status_code == 401
    assert post(headers=signed(b"other", sent_at=int(time.time())) | secret).status_code == 401
    assert not Tweet.objects.exists()


def test_where_it_has_to_be_signed_the_secret_alone_is_not_enough():
    wall = {"SOURCES": ["webhook"], "WEBHOOK_SECRET": SECRET, "WEBHOOK_SIGNED": True}
    with override_settings(REALTIME_WALL={"WALL": wall}):
        refused = post(headers={"Authorization": f"Bearer {SECRET}"})
        taken = post()

    assert (refused.status_code, refused.json()["error"]) == (401, "it has to be signed")
    assert taken.status_code == 200


def test_a_signed_post_is_no_larger_than_another():
    assert post(json.dumps({"text": "x" * LARGEST}).encode()).status_code == 413
