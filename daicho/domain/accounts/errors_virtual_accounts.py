"""Why the tree of virtual accounts says no. Codes are public."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from daicho.core.errors import BusinessError
from daicho.domain.tenancy.rules import MAX_DEPTH

if TYPE_CHECKING:
    from daicho.domain.accounts.queries_virtual_accounts import Inside

TOO_LONG = _("Enter at most %(limit)d characters.")


class VirtualAccountNameTaken(BusinessError):
    """Names are unique in the account whatever their case and width."""

    def __init__(self, name: str) -> None:
        super().__init__("name_taken", 409, _("The account already has a virtual account named %(name)s."), name=name)


class TooDeep(BusinessError):
    """The tree has at most 8 levels."""

    def __init__(self) -> None:
        super().__init__(
            "too_deep", 422, _("Virtual accounts can be nested at most %(limit)d levels deep."), limit=MAX_DEPTH
        )


class NestedInItself(BusinessError):
    """A branch cannot hang below itself."""

    def __init__(self) -> None:
        super().__init__("nested_in_itself", 422, _("A virtual account cannot be placed below itself."))


class DefaultStays(BusinessError):
    """There is always exactly one default."""

    def __init__(self) -> None:
        super().__init__(
            "default_stays",
            409,
            _("The default virtual account cannot be deleted. Make another one the default first."),
        )


class NotEmpty(BusinessError):
    """Only an empty virtual account is deleted."""

    def __init__(self, inside: Inside) -> None:
        super().__init__(
            "not_empty",
            409,
            _("This virtual account is not empty. Move everything to another one first."),
            licenses=inside.licenses,
            devices=inside.devices,
            orders=inside.orders,
            children=inside.children,
        )


class NameNotTyped(BusinessError):
    """What cannot be undone is confirmed by typing the name."""

    def __init__(self, name: str) -> None:
        super().__init__(
            "name_not_typed", 422, _("Type the name %(name)s to confirm. This cannot be undone."), name=name
        )
