"""What the ledger refuses: public codes with texts that say what to do."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from daicho.core.errors import BusinessError
from daicho.domain.ledger.limits import MAX_LINES, MAX_QUANTITY

ANOTHER = _("another virtual account")

# What was tried, by the act: the sentence people read when there is not enough (design.md §8).
NOT_ENOUGH: dict[str, Promise] = {
    "transfer": _(
        "Nothing was transferred. %(virtual_account)s has %(available)s spare %(sku)s (you asked for %(asked)s)."
        " Enter %(available)s or less, or choose another source."
    ),
    "assign": _(
        "Nothing was assigned. %(virtual_account)s has %(available)s spare %(sku)s (you asked for %(asked)s)."
        " Enter %(available)s or less, or transfer some here first."
    ),
    "reserve": _(
        "Nothing was reserved. %(virtual_account)s has %(available)s spare %(sku)s (you asked for %(asked)s)."
        " Enter %(available)s or less, or transfer some here first."
    ),
    "reuse": _(
        "Nothing was moved to the other device. %(virtual_account)s has %(available)s spare %(sku)s"
        " (you asked for %(asked)s). Enter %(available)s or less, or release some there first."
    ),
    "undo": _(
        "This cannot be undone now: %(asked)s %(sku)s are needed back from %(virtual_account)s, and %(available)s are"
        " free there. Free %(missing)s there, then try again."
    ),
    "move_unit": _(
        "The device was not moved. %(virtual_account)s lacks %(missing)s %(sku)s, which may not be used beyond what is"
        " there. Transfer some there first."
    ),
    "replace_unit": _(
        "The device was not replaced. %(virtual_account)s lacks %(missing)s %(sku)s for what the new device uses already;"
        " this license may not be used beyond what is there. Transfer some there first."
    ),
}  # fmt: skip

LOT_NOT_ENOUGH = _(
    "%(virtual_account)s holds %(available)s of this %(sku)s lot (you asked for %(asked)s)."
    " Enter %(available)s or less, or choose another lot."
)


def not_enough_licenses(
    act: str, *, virtual_account: str | Promise, sku: str, asked: int, available: int, missing: int, lot: str = ""
) -> BusinessError:
    """409: a pool would be shorter than before, or a holding below zero. Nothing was written."""
    return BusinessError(
        "not_enough_licenses",
        409,
        LOT_NOT_ENOUGH if lot else NOT_ENOUGH[act],
        virtual_account=virtual_account,
        sku=sku,
        asked=asked,
        available=available,
        missing=missing,
        **({"lot": lot} if lot else {}),
    )


def request_id_reused() -> BusinessError:
    """409: this request id already stands for another request of the account."""
    return BusinessError(
        "request_id_reused",
        409,
        _("This request id was used before with other content. Send a new request with a new id."),
    )


def bad_quantity() -> BusinessError:
    """422: not a whole number between 1 and 2^53 − 1 (product.md §3)."""
    return BusinessError(
        "bad_quantity", 422, _("Enter a whole number between 1 and %(most)s."), most=f"{MAX_QUANTITY:,}"
    )


def quantity_too_large(sku: str) -> BusinessError:
    """422: the sum in one virtual account would pass 2^53 − 1 and could no longer be counted exactly."""
    return BusinessError(
        "quantity_too_large",
        422,
        _("One virtual account cannot hold or use more than %(most)s %(sku)s. Enter less."),
        sku=sku,
        most=f"{MAX_QUANTITY:,}",
    )


def too_many_lines() -> BusinessError:
    """422: one entry takes 10,000 lines (product.md, Licenses)."""
    return BusinessError(
        "too_many_lines", 422, _("One act takes at most %(most)s lines. Split it."), most=f"{MAX_LINES:,}"
    )


def no_lines() -> BusinessError:
    """422: nothing to do."""
    return BusinessError("no_lines", 422, _("Choose at least one license and enter how many."))


def same_virtual_account() -> BusinessError:
    """422: a transfer from a virtual account into itself."""
    return BusinessError("same_virtual_account", 422, _("Source and target are the same. Choose another target."))


def same_unit() -> BusinessError:
    """422: re-use on the device that uses the license now."""
    return BusinessError("same_device", 422, _("The license is used on this device already. Choose another one."))


def more_than_in_use(sku: str, in_use: int) -> BusinessError:
    """422: a release of more than the device uses."""
    return BusinessError(
        "bad_quantity",
        422,
        _("The device uses %(in_use)s %(sku)s. Enter %(in_use)s or less."),
        sku=sku,
        in_use=in_use,
    )


def nothing_to_undo() -> BusinessError:
    """409: the entry moved nothing."""
    return BusinessError("nothing_to_undo", 409, _("This act moved nothing, so there is nothing to undo."))


def already_undone() -> BusinessError:
    """409: an entry is undone at most once."""
    return BusinessError("already_undone", 409, _("This was undone before. The history shows by whom and when."))


def not_undoable() -> BusinessError:
    """409: the clock, usage and conversions are not undone; the operator corrects with a reason."""
    return BusinessError(
        "not_undoable", 409, _("This kind of act cannot be undone. The support desk can correct it, with a reason.")
    )


def ends_before_start() -> BusinessError:
    """422: a license that ends before it starts."""
    return BusinessError("ends_before_start", 422, _("The end must lie after the start. Correct one of the dates."))


def end_problem(kind: str, *, has_end: bool) -> BusinessError | None:
    """422, if any: what runs for a time says until when, what runs for ever has no end."""
    if kind in {"term", "subscription"} and not has_end:
        return BusinessError("end_required", 422, _("Term licenses and subscriptions need an end date."))
    if kind == "perpetual" and has_end:
        return BusinessError("end_not_allowed", 422, _("A perpetual license has no end date. Leave it empty."))
    return None


def unassigned_not_enough(sku: str, lot: str, asked: int, available: int) -> BusinessError:
    """409: less of the lot waits unassigned than asked for."""
    return BusinessError(
        "not_enough_licenses",
        409,
        _(
            "Nothing was assigned. %(available)s %(sku)s are unassigned (you asked for %(asked)s). Enter %(available)s or less."
        ),
        sku=sku,
        lot=lot,
        asked=asked,
        available=available,
        missing=asked - available,
    )


def one_source_at_a_time() -> BusinessError:
    """422: a transfer that waits for approval has one source, whose administrator decides."""
    return BusinessError(
        "one_source_at_a_time",
        422,
        _("Transfers in this account wait for the source's administrator. Send one transfer for each source."),
    )


def approval_needed(virtual_account: str) -> BusinessError:
    """403: a line of a large file whose source wants its administrator's approval."""
    return BusinessError(
        "approval_needed",
        403,
        _(
            "Transfers out of %(virtual_account)s wait for its administrator. Send these rows in a file of at most %(most)s"
            " rows from this source."
        ),
        virtual_account=virtual_account,
        most=f"{MAX_LINES:,}",
    )


def nothing_spare(virtual_account: str, sku: str) -> BusinessError:
    """409: nothing of a license was left to move when its turn came."""
    return BusinessError(
        "nothing_spare", 409, _("%(virtual_account)s has no spare %(sku)s."), virtual_account=virtual_account, sku=sku
    )


def transfer_request_closed() -> BusinessError:
    """409: a request is decided once."""
    return BusinessError(
        "transfer_request_closed", 409, _("This request was approved, declined or withdrawn before. Reload the page.")
    )


def reason_missing() -> BusinessError:
    """422: what the operator does to a customer's licenses is explained to the customer."""
    return BusinessError("reason_missing", 422, _("Enter a reason. The customer reads it in the event log."))


def no_longer_free(sku: str, quantity: int, where: str | Promise) -> BusinessError:
    """409 (not_undoable): an undo needs back what has moved on; it may be tried again."""
    return BusinessError(
        "not_undoable",
        409,
        _(
            "This cannot be undone now: %(quantity)s %(sku)s are no longer in %(virtual_account)s. Move them back, then try again."
        ),
        sku=sku,
        quantity=quantity,
        virtual_account=where,
    )


def authorization_shown() -> BusinessError:
    """409 (not_undoable): a reservation is undone only until its authorization was shown (ledger.md, Tables)."""
    return BusinessError(
        "not_undoable",
        409,
        _(
            "The authorization code of this reservation was shown, so it may be installed. Return the reservation instead."
        ),
    )


def change_unconfirmed() -> BusinessError:
    """409: a reservation changes one step at a time."""
    return BusinessError(
        "change_unconfirmed",
        409,
        _(
            "An earlier change of this reservation is not confirmed yet. Enter its confirmation code or withdraw it first."
        ),
    )


def device_uses_less(sku: str, quantity: int, in_use: int) -> BusinessError:
    """409 (not_undoable): the license that would be taken back from a device is no longer used there."""
    return BusinessError(
        "not_undoable",
        409,
        _("This cannot be undone now: the other device uses %(in_use)s %(sku)s, and %(quantity)s are needed back."),
        sku=sku,
        quantity=quantity,
        in_use=in_use,
    )


def device_has_moved() -> BusinessError:
    """409 (not_undoable): a device of the act is in another virtual account now."""
    return BusinessError(
        "not_undoable", 409, _("This cannot be undone now: the device has moved to another virtual account since.")
    )


def virtual_account_is_gone() -> BusinessError:
    """409 (not_undoable): the licenses would go back to where nothing can be any more."""
    return BusinessError(
        "not_undoable", 409, _("This cannot be undone: a virtual account of the act has been deleted.")
    )


def lots_too_few() -> BusinessError:
    """422: one lot has its end already."""
    return BusinessError("lots_too_few", 422, _("Choose at least two lots."))


def lots_too_many(most: int) -> BusinessError:
    """422: one act brings so many lots together at most."""
    return BusinessError(
        "lots_too_many", 422, _("One act takes at most %(most)s lots. Choose fewer."), most=f"{most:,}"
    )


def lots_not_alike() -> BusinessError:
    """422: what is bought in different ways stays apart."""
    return BusinessError(
        "lots_not_alike", 422, _("The lots must be of one license, one kind and one way of billing. Choose others.")
    )


def lot_without_end() -> BusinessError:
    """422: what counts for ever would lose by an end."""
    return BusinessError("lot_without_end", 422, _("A lot without an end date cannot get a common one. Leave it out."))


def lots_not_in_force() -> BusinessError:
    """409: only what counts now is brought together."""
    return BusinessError(
        "lots_not_in_force", 409, _("A lot has not started yet or has ended. Leave it out, or wait until it starts.")
    )


def nothing_to_combine() -> BusinessError:
    """409: units hold all of the lots."""
    return BusinessError(
        "nothing_to_combine", 409, _("All of these lots is reserved or fulfilled. It must be returned first.")
    )


def common_end_passed() -> BusinessError:
    """422: the common end is over."""
    return BusinessError("common_end_passed", 422, _("The common end date must not have passed. Choose a later one."))


def quantity_has_changed(shown: int, there: int) -> BusinessError:
    """409 (stale_data): between the check and the act something moved."""
    return BusinessError(
        "stale_data",
        409,
        _(
            "The quantity has changed since you opened this page: %(there)s instead of %(shown)s. Check the new figures."
        ),
        shown=shown,
        there=there,
    )


def nothing_to_revoke() -> BusinessError:
    """409: nothing of the lot is unassigned, pending or on hand."""
    return BusinessError(
        "nothing_to_revoke",
        409,
        _("Nothing of this lot is left that could be revoked: it has ended, or devices hold it."),
    )
