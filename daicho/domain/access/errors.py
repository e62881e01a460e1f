"""Why access says no. Codes are public."""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext_lazy as _

from daicho.core.errors import BusinessError


class LastAdministrator(BusinessError):
    """An active account always has an administrator without an end who can log in (product.md, Roles)."""

    def __init__(self) -> None:
        super().__init__(
            "last_administrator", 409, _("The last administrator cannot be removed. Add another one first.")
        )


class GrantExists(BusinessError):
    """One holder has one role per scope."""

    def __init__(self, holder: str) -> None:
        super().__init__(
            "grant_exists", 409, _("%(holder)s already has a role there. Change that role instead."), holder=holder
        )


class RoleDoesNotFitScope(BusinessError):
    """Account roles are given in the whole account, the others within one virtual account."""

    def __init__(self) -> None:
        super().__init__(
            "role_scope_mismatch",
            422,
            _(
                "This role does not fit the scope. Account roles hold in the whole account, the others in one virtual account."
            ),
        )


class EndInPast(BusinessError):
    """A right cannot end before it began."""

    def __init__(self) -> None:
        super().__init__("end_in_past", 422, _("The end lies in the past. Choose a later day."))


class EndRequired(BusinessError):
    """A partner user's right has an end (S23)."""

    def __init__(self) -> None:
        super().__init__("end_required", 422, _("People of another company need an end date. Enter one."))


class EndBeyondOwn(BusinessError):
    """What a partner user grants ends no later than his own right."""

    def __init__(self, latest: dt.datetime) -> None:
        super().__init__(
            "end_beyond_own",
            422,
            _("Your own right ends on %(latest_day)s, so this one cannot end later."),
            latest=latest.isoformat(),
            latest_day=latest.date().isoformat(),
        )


class UnknownUser(BusinessError):
    """Nobody with this address has signed up and confirmed it."""

    def __init__(self) -> None:
        super().__init__(
            "unknown_user", 422, _("Nobody with this address has signed up yet. Send an invitation instead.")
        )


class InvitationOver(BusinessError):
    """The link was used, withdrawn or has ended."""

    def __init__(self) -> None:
        super().__init__(
            "invitation_over",
            409,
            _("This invitation has been used, withdrawn or has ended. Ask who invited you for a new one."),
        )


class InvitationForAnother(BusinessError):
    """The link counts only for the invited address."""

    def __init__(self) -> None:
        super().__init__(
            "invitation_for_another_address",
            403,
            _("This invitation was sent to another mail address. Log in with that address."),
        )


class AlreadyInvited(BusinessError):
    """One open invitation per address and scope."""

    def __init__(self, email: str) -> None:
        super().__init__(
            "already_invited",
            409,
            _("%(email)s already has an open invitation there. Send it again instead."),
            email=email,
        )


class AlreadyRequested(BusinessError):
    """One open request per person and account."""

    def __init__(self) -> None:
        super().__init__(
            "already_requested", 409, _("You have already asked for access. An administrator will answer.")
        )


class AlreadyAnswered(BusinessError):
    """The request was approved, declined or withdrawn in the meantime."""

    def __init__(self) -> None:
        super().__init__("already_answered", 409, _("This request has already been answered or withdrawn."))


class ReasonMissing(BusinessError):
    """Who is refused, or told of an act of the operator, reads why."""

    def __init__(self) -> None:
        super().__init__("reason_missing", 422, _("Enter a reason."))


class SamePerson(BusinessError):
    """Rights are handed over to somebody else."""

    def __init__(self) -> None:
        super().__init__("same_person", 422, _("Choose another person to take over."))


class NothingToHandOver(BusinessError):
    """The person has no right in the account."""

    def __init__(self) -> None:
        super().__init__("nothing_to_hand_over", 422, _("This person has no right in the account."))


class HandOverOver(BusinessError):
    """The hand-over was done, cancelled or has failed."""

    def __init__(self) -> None:
        super().__init__("hand_over_over", 409, _("This hand-over is already done, cancelled or has failed."))


class UnknownScope(BusinessError):
    """An API client's scopes are permission codes."""

    def __init__(self, scope: str) -> None:
        super().__init__("unknown_scope", 422, _("There is no scope named %(scope)s."), scope=scope)


class NameMissing(BusinessError):
    """A thing that people tell apart has a name."""

    def __init__(self) -> None:
        super().__init__("name_missing", 422, _("Enter a name."))


class NameTaken(BusinessError):
    """Names of partner companies are told apart whatever their case and width."""

    def __init__(self, name: str) -> None:
        super().__init__("name_taken", 409, _("There is already one named %(name)s."), name=name)


class AddressOfAnotherDomain(BusinessError):
    """The operator appoints only somebody of the account's own domain."""

    def __init__(self, identifier: str) -> None:
        super().__init__(
            "address_of_another_domain",
            422,
            _("Enter an address of the domain %(identifier)s."),
            identifier=identifier,
        )


class BadAddress(BusinessError):
    """Not a mail address."""

    def __init__(self) -> None:
        super().__init__("bad_address", 422, _("Enter a mail address such as name@example.co.jp."))


class RowErrors(BusinessError):
    """A file with rows that cannot be taken: nothing was written. `rows`: [{row, column, code, message}]."""

    def __init__(self, rows: list[dict[str, object]]) -> None:
        super().__init__(
            "rows_invalid",
            422,
            _("Nothing was saved. Rows of the file that cannot be taken: %(count)d."),
            count=len(rows),
            rows=rows,
        )
