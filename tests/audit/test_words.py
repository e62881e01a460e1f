"""Every line of the event log reads well, in both languages, and tells nothing its reader may not know."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
import uuid
from typing import Any

import pytest
from django.utils import timezone, translation

from daicho.domain.access.queries_events import GROUPS, EventRow, Side
from daicho.domain.audit.kinds import KINDS
from daicho.interfaces.portal.events_text import GROUP_WORDS, changes, changes_text, sentence
from daicho.interfaces.portal.events_words import SENTENCES

JAPANESE = re.compile(r"[ぁ-んァ-ヶ一-龠]")


def row(kind: str, **fields: Any) -> EventRow:
    plain = EventRow(
        uid="x", at=dt.datetime(2026, 11, 24, tzinfo=dt.UTC), kind=kind, act=uuid.uuid4(), actor_kind="user",
        actor_name="Hanako", interface="portal", address="", account="example.co.jp",
        virtual_account=Side("va1", "東京本社"), other=Side("va2", "大阪支店"), other_hidden=False, subject="NET-ADV",
        subject_uid="", before=None, after={"quantity": 3, "direction": "out"}, memo="",
    )  # fmt: skip
    return dataclasses.replace(plain, **fields)


def test_every_kind_has_a_sentence_and_no_sentence_is_left_over() -> None:
    assert set(SENTENCES) == KINDS
    assert set(GROUP_WORDS) == set(GROUPS)


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("direction", ["in", "out", "within", ""])
def test_every_kind_reads_well_in_both_languages(kind: str, direction: str) -> None:
    line = row(kind, after={"quantity": 1200, "direction": direction, "role": "account_user", "to": "B", "counted": 2})
    with translation.override("en"):
        english = sentence(line)
    with translation.override("ja"):
        japanese = sentence(line)
    assert english.endswith(".")
    assert "%(" not in english + japanese
    assert not JAPANESE.search(english.replace("東京本社", "").replace("大阪支店", ""))
    assert japanese.endswith("。"), japanese


def test_a_transfer_reads_from_its_own_side() -> None:
    with translation.override("en"):
        assert sentence(row("license.transferred")) == "Transferred 3 NET-ADV to 大阪支店."
        hidden = row("license.transferred", other=None, other_hidden=True, after={"quantity": 3, "direction": "in"})
        assert sentence(hidden) == "Received 3 NET-ADV by transfer from another virtual account."
    with translation.override("ja"):
        assert sentence(row("license.transferred")) == "NET-ADV 3を大阪支店へ移管しました。"


def test_before_and_after_are_told_in_words() -> None:
    line = row(
        "grant.changed",
        before={"role": "account_user", "ends_at": None},
        after={"role": "account_administrator", "ends_at": "2027-03-31T15:00:00+00:00"},
    )
    with translation.override("en"), timezone.override("UTC"):
        assert [str(change) for change in changes(line)] == [
            "Role: Smart Account User → Smart Account Administrator",
            "End date: – → 31 Mar 2027",
        ]
    with translation.override("ja"):
        assert changes_text(line).startswith("役割：スマートアカウントユーザー → スマートアカウント管理者")


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"a": 1}, {"a": 1}, ""),
        (None, {"tags": ["x", "y"]}, "Tags: x, y"),
        ({"balance": -3, "on_hand": 1}, {"balance": 4, "on_hand": 1}, "Balance: -3 → +4"),
        ({"transfers_need_approval": False}, {"transfers_need_approval": True}, "Transfers need approval: no → yes"),
        ({"state": "active"}, {"state": "suspended"}, "State: Active → Suspended"),
        (["A"], ["A", "B"], "Value: A → A, B"),
        (None, {"unheard_of": "x"}, "unheard of: x"),
        (None, None, ""),
    ],
)
def test_values_of_all_shapes_are_told(before: Any, after: Any, expected: str) -> None:
    with translation.override("en"):
        assert changes_text(row("account.edited", before=before, after=after)) == expected
