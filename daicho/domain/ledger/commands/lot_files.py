"""Attach files to a lot, and take them away."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from django.utils.translation import gettext_lazy as _

from daicho.core.actor import Actor
from daicho.core.commands import command
from daicho.core.errors import BusinessError, NotFound
from daicho.domain.access.rules import Permission
from daicho.domain.audit.record import record
from daicho.domain.files import store
from daicho.domain.ledger.attachments import MOST_FILES, ensure_file
from daicho.domain.ledger.commands.lot_details import carry_details, lock_details
from daicho.domain.ledger.details_door import ensure_may_change
from daicho.domain.ledger.models import Lot, LotAttachment
from daicho.domain.tenancy.models import SmartAccount


@command(permission=Permission.LICENSES_MANAGE, events=("license.file_added",))
def attach_lot_file(actor: Actor, *, account: SmartAccount, lot_uid: str, name: str, content: bytes) -> LotAttachment:
    """Attach a file to a lot: PDF, PNG, JPEG, text, CSV, XLSX or DOCX, at most 10 MB, at most 20 a lot.

    Needs the right to manage licenses in the whole account. The same content under the same name again is the file that
    is there. Raises `file_type_refused`, `file_too_large`, `file_empty` (422), `too_many_files` (409), not_found, forbidden.
    """
    lot, _places = ensure_may_change(actor, account, lot_uid, company=True)
    kept, media_type = ensure_file(name, content)
    lock_details([lot.pk])
    there = LotAttachment.objects.filter(lot=lot).select_related("file")
    same = there.filter(name=kept, file__sha256=hashlib.sha256(content).hexdigest()).first()
    if same is not None:
        return same
    if there.count() >= MOST_FILES:
        raise BusinessError(
            "too_many_files", 409, _("A lot takes at most %(most)s files. Remove one first."), most=MOST_FILES
        )
    file = store.keep(kept, media_type, [content])
    made = LotAttachment.objects.create(
        account=account, lot=lot, file=file, name=kept, added_by_name=actor.name[:200]
    )  # fmt: skip
    record(
        actor, "license.file_added", account=account, subject=lot.uid, subject_uid=lot.uid,
        after={"sku": lot.tag.sku, "file": kept, "size": file.size, "sha256": file.sha256},
    )  # fmt: skip
    return made


@command(permission=Permission.LICENSES_MANAGE, events=("license.file_removed",))
def remove_lot_file(actor: Actor, *, account: SmartAccount, lot_uid: str, file_uid: str) -> None:
    """Take a file off a lot; the log keeps its name and digest. Needs the right to manage licenses in the whole account."""
    lot, _places = ensure_may_change(actor, account, lot_uid, company=True)
    lock_details([lot.pk])
    found = LotAttachment.objects.filter(lot=lot, uid=file_uid).select_related("file").first()
    if found is None:
        raise NotFound
    file = found.file
    found.delete()
    if not LotAttachment.objects.filter(file=file).exists():
        store.drop(file)
    record(
        actor, "license.file_removed", account=account, subject=lot.uid, subject_uid=lot.uid,
        before={"file": found.name, "size": file.size, "sha256": file.sha256}, after={"sku": lot.tag.sku},
    )  # fmt: skip


def carry_what_is_kept(account: SmartAccount, old: Iterable[Lot], made: Lot) -> None:
    """A lot that others were exchanged for keeps the columns that they agree in, and shows their files."""
    carry_details(account, old, made)
    _carry_files(account, old, made)


def _carry_files(account: SmartAccount, old: Iterable[Lot], made: Lot) -> None:
    """Each file once, the oldest 20."""
    found = LotAttachment.objects.filter(lot__in=list(old)).select_related("file").order_by("added_at", "pk")
    once: dict[tuple[str, str], LotAttachment] = {}
    for one in found:
        once.setdefault((one.name, one.file.sha256), one)
    LotAttachment.objects.bulk_create(
        LotAttachment(
            account=account, lot=made, file=one.file, name=one.name, added_by_name=one.added_by_name, added_at=one.added_at
        )
        for one in list(once.values())[:MOST_FILES]
    )  # fmt: skip
