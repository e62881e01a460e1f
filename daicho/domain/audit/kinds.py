"""Kinds of events: public codes, added, never renamed. What reads a line to people is the portal's, by these codes."""

from __future__ import annotations

from typing import Final

# Kinds of this list are shown only to who may see licenses (an approver reads the log without them).
LICENSE_KINDS: Final = frozenset(
    {
        "license.deposited", "license.assigned", "license.transferred", "license.transfer_requested",
        "license.transfer_declined", "license.transfer_withdrawn", "license.undone", "license.cancelled",
        "license.started", "license.ended", "license.used", "license.released", "license.reused", "license.reported",
        "license.revoked", "license.corrected", "license.co_termed", "license.reserved", "license.returned", "license.converted",
        "license.details_changed", "license.file_added", "license.file_removed",
        "order.recorded", "order.line_cancelled", "order.line_approved", "order.line_declined",
        "device.created", "device.changed", "device.moved", "device.removed", "device.replaced",
        "device.registered", "device.authorized", "device.renewed", "device.deregistered", "device.expired",
        "device.authorization_expired", "token.issued", "token.shown", "token.revoked", "token.used_up",
        "reservation.made", "reservation.shown", "reservation.confirmed", "reservation.changed", "reservation.withdrawn",
        "reservation.returned", "reservation.undone", "reservation.bound",
        "alert.hidden", "alert.shown",
    }
)  # fmt: skip

ACCOUNT_KINDS: Final = frozenset(
    {
        "opening.started", "opening.held", "opening.asked", "opening.answered", "opening.approver_asked",
        "opening.approved", "opening.declined", "opening.provisional", "opening.lapsed", "opening.withdrawn",
        "opening.taken_over", "opening.contested", "opening.contest_decided", "opening.link_resent",
        "account.activated", "account.edited", "account.suspended", "account.resumed", "account.closed",
        "account.settings_changed", "account.administrator_appointed", "account.subdomain_requested",
        "agreement.published", "agreement.accepted",
        "user.registered", "user.edited", "user.logged_in", "user.log_in_failed", "user.logged_out",
        "user.password_changed", "user.two_step_on", "user.two_step_off", "user.sessions_ended",
        "invitation.sent", "invitation.accepted", "invitation.withdrawn", "invitation.resent",
        "grant.given", "grant.changed", "grant.revoked", "grant.ended",
        "access.requested", "access.approved", "access.declined", "access.withdrawn",
        "hand_over.planned", "hand_over.done", "hand_over.cancelled", "hand_over.failed",
        "api_client.created", "api_client.changed", "api_client.secret_rotated", "api_client.revoked",
        "virtual_account.created", "virtual_account.renamed", "virtual_account.nested", "virtual_account.tagged",
        "virtual_account.default_set", "virtual_account.visibility_set", "virtual_account.described",
        "virtual_account.deleted", "virtual_account.imported",
        "notification.changed", "extra_address.added", "extra_address.confirmed", "extra_address.removed",
        "support.viewed", "log.exported", "job.started", "job.ended", "job.cancelled",
    }
)  # fmt: skip

OPERATOR_KINDS: Final = frozenset(
    {
        "operator.created", "partner.created", "partner.changed", "partner.member_added", "partner.member_removed",
        "partner.allowance_set", "catalog.tag_added", "catalog.tag_changed", "catalog.product_added",
        "catalog.ladder_set", "catalog.imported", "customer_file.imported", "guide.added", "guide.changed",
        "guide.removed", "mail.retried",
        "device_keys.rotated",
    }
)  # fmt: skip

KINDS: Final = LICENSE_KINDS | ACCOUNT_KINDS | OPERATOR_KINDS
