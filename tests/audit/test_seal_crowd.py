"""Many sealers and watchers at once do the work once (only PostgreSQL lets two write at the same time)."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections, transaction

from daicho.domain.alerts import watch
from daicho.domain.alerts.models import Alert
from daicho.domain.audit.models import Event, Seal, SealBlock
from daicho.domain.audit.record import record
from daicho.domain.audit.seal import seal_pending, verify
from daicho.domain.mailbox.commands import claim_next, post_mail
from daicho.domain.mailbox.models import Mail
from tests.alerts.acts import device
from tests.world import World, make_world

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def together(number: int, act: Callable[[], Any]) -> list[Any]:
    """Run an act in so many threads that start at the same moment; what it raises fails the test."""
    start, results, errors = threading.Barrier(number), [], []

    def work() -> None:
        try:
            start.wait()
            results.append(act())
        except Exception as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    return results


def write(world: World, number: int) -> None:
    for _ in range(number):
        record(world.as_(world.admin), "account.edited", account=world.account)


def test_sealers_at_once_seal_every_event_once_while_others_write() -> None:
    world = make_world()
    write(world, 50)

    def write_and_seal() -> int:
        write(world, 20)
        return seal_pending()

    assert sum(together(6, write_and_seal)) + seal_pending() == 50 + 6 * 20
    assert Seal.objects.count() == Event.objects.count() == 170
    assert sorted(SealBlock.objects.values_list("number", flat=True)) == list(range(1, SealBlock.objects.count() + 1))
    assert verify() is None


def test_an_event_that_commits_after_later_ones_were_sealed_is_sealed_next() -> None:
    world = make_world()
    written, sealed = threading.Event(), threading.Event()

    def slow() -> None:
        with transaction.atomic():
            write(world, 1)
            written.set()
            sealed.wait(20)
        connections.close_all()

    thread = threading.Thread(target=slow)
    thread.start()
    written.wait(20)
    write(world, 2)
    assert seal_pending() == 2
    sealed.set()
    thread.join()
    assert seal_pending() == 1
    assert verify() is None
    ids = list(Seal.objects.order_by("block__number", "event_id").values_list("event_id", flat=True))
    assert ids != sorted(ids), "the late one has a lower number and stands in a later block"


def test_watchers_at_once_open_and_mail_once() -> None:
    world = make_world()
    for number in range(10):
        device(world, world.osaka, f"twin {number}", product_id="C9500", serial="S")
    world.account.good_standing_until = None
    world.account.activated_at = None
    world.account.save()

    together(4, watch.run)

    assert Alert.objects.filter(kind="duplicate_licenses").count() == 10
    mails = Mail.objects.filter(template="alert_agreement_pending").values_list("to", flat=True)
    assert sorted(mails) == sorted([world.admin.email, world.approver.email])


def test_senders_at_once_hold_each_mail_once() -> None:
    for number in range(20):
        post_mail("daily_summary", to=f"{number}@example.co.jp", once=str(uuid.uuid4()))

    def take_all() -> list[str]:
        taken = []
        while claim := claim_next(domain="testserver"):
            taken.append(claim.uid)
        return taken

    taken = [uid for part in together(4, take_all) for uid in part]
    assert sorted(taken) == sorted(Mail.objects.values_list("uid", flat=True))
