"""The one API object: authentication, errors, and every router of `routers/`."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from ninja import NinjaAPI

from daicho import __version__
from daicho.interfaces.api import errors, routers
from daicho.interfaces.api.auth import AUTHENTICATION
from daicho.interfaces.api.idempotency import remember_answers
from daicho.interfaces.api.problems import JsonRenderer

DESCRIPTION = """
The ledger of software licenses. Authenticate with `Authorization: Bearer <client id>.<secret>` of an API client, or with
the portal's session (then send `X-CSRFToken`).

* Lists take `size` (1–200) and `cursor`; follow `next` until it is null.
* Errors are problem details (RFC 9457) with a stable `code`.
* Every write takes an `Idempotency-Key` header (1–200 characters): the same request again returns the first answer.
* Times are ISO 8601 in UTC; a date means a day in the account's time zone.
"""

api = NinjaAPI(
    title="Daicho",
    version=__version__,
    description=DESCRIPTION,
    auth=AUTHENTICATION,
    docs_url=None,
    renderer=JsonRenderer(),
    urls_namespace="api",
)
errors.install(api)
for module in sorted(iter_modules(routers.__path__), key=lambda found: found.name):
    router = import_module(f"{routers.__name__}.{module.name}").router
    remember_answers(router)
    api.add_router("", router)
