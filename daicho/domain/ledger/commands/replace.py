"""A unit takes the place of another one that failed: its use, and all that was set aside for it (S4)."""

from __future__ import annotations

import uuid

from daicho.core.actor import Actor
from daicho.core.commands import command
from daicho.core.errors import NotFound
from daicho.domain.access.rules import Permission
from daicho.domain.audit.record import record_many
from daicho.domain.catalog.models import LicenseTag
from daicho.domain.ledger.book import Book, Spot, UseRow
from daicho.domain.ledger.door import ensure_may_in, names_for
from daicho.domain.ledger.errors import same_unit
from daicho.domain.ledger.events import describe_uses, record_moves
from daicho.domain.ledger.judging import shortage
from daicho.domain.ledger.locking import load_uses
from daicho.domain.ledger.models import Entry, Holder, Unit
from daicho.domain.ledger.posting import post
from daicho.domain.ledger.rules import Act
from daicho.domain.ledger.units import carry_unit, tags_of
from daicho.domain.tenancy.models import SmartAccount


@command(permission=Permission.LICENSES_MANAGE, events=("license.used", "license.transferred"))
def replace_unit(
    actor: Actor,
    *,
    account: SmartAccount,
    failed: Unit,
    successor: Unit,
    request_id: uuid.UUID,
    memo: str = "",
    called: tuple[str, str] = ("", ""),
) -> Entry:
    """Let a unit take over what a failed one used and held, in the virtual account where that one drew; no lot moves.

    What the successor uses already of a license is not added: it then uses the larger of the two. One act, judged as a
    whole: counted even when short, but enforced and export-controlled licenses must suffice. Goes on without a valid
    agreement (product.md, good standing). `called`: what people call the two. Raises not_enough_licenses,
    request_id_reused (409), same_device (422).
    """
    if {failed.account_id, successor.account_id} != {account.pk}:
        raise NotFound
    if failed.pk == successor.pk:
        raise same_unit()
    places = [failed.virtual_account, successor.virtual_account]
    scope = ensure_may_in(actor, Permission.LICENSES_MANAGE, account, places, standing=False)

    def reach(book: Book) -> list[Spot]:
        here, there = book.units[failed.pk].virtual_account_id, book.units[successor.pk].virtual_account_id
        if {here, there} - {place.pk for place in places}:
            raise NotFound  # one has just been moved to where the door was not asked
        own = tags_of(successor)
        tags = LicenseTag.objects.in_bulk(own | tags_of(failed)).values()
        return [Spot(account.pk, place, tag) for tag in tags for place in ({here, there} if tag.pk in own else {here})]

    def write(book: Book, entry: Entry) -> None:
        old, new = book.units[failed.pk], book.units[successor.pk]
        load_uses(book, [old.pk, new.pk], book.tags)
        if new.virtual_account_id != old.virtual_account_id:
            carry_unit(book, entry, new, old.virtual_account)
        _hand_over(book, entry, old, new)

    names = names_for(scope, places)
    posted = post(
        actor,
        account=account,
        request_id=request_id,
        kind=Entry.Kind.REPLACE,
        act=Act.ASK,
        content=[failed.uid, successor.uid],
        reach=reach,
        write=write,
        refuse=lambda book, short: shortage(
            "replace_unit", book, [pool for pool in short if pool.tag.is_strict], {}, names
        ),
        units=[failed.pk, successor.pk],
        memo=memo,
    )
    if posted.book is not None:
        successor.virtual_account = failed.virtual_account
        record_moves(actor, "license.transferred", posted.entry, posted.book)
        for unit, name in zip((failed, successor), called, strict=True):
            steps = [step for step in posted.book.steps.values() if step.unit.pk == unit.pk]
            record_many(describe_uses(actor, "license.used", steps, subject=name, memo=memo))
    return posted.entry


def _hand_over(book: Book, entry: Entry, old: Unit, new: Unit) -> None:
    """Reports and holders change hands; both units are locked, in one virtual account."""
    Holder.objects.filter(unit=old).update(unit=new)
    for tag_id, tag in book.tags.items():
        book.held[new.pk, tag_id] += book.held.pop((old.pk, tag_id), 0)
        given = book.uses.get((old.pk, tag_id))
        reported = given.reported if given else 0
        if given is not None:
            _report(book, entry, given, 0)
        if reported or (new.pk, tag_id) in book.uses:
            own = book.use_of(new, tag)
            _report(book, entry, own, max(own.reported, reported))


def _report(book: Book, entry: Entry, use: UseRow, quantity: int) -> None:
    reported, counted = use.reported, use.counted
    book.set_use(use, quantity)
    if (use.reported, use.counted) != (reported, counted):
        book.note_use(
            use, use.pool, counted, request_id=entry.request_id, fingerprint=entry.fingerprint,
            act=Act.ASK, cause="replace", entry=entry,
        )  # fmt: skip
