"""Large lists as files: a job that keeps the list's address, and makes the file with the rights of that moment."""

from __future__ import annotations

import uuid

from daicho.core.actor import Actor
from daicho.core.commands import command
from daicho.domain.access.models import PartnerCompany
from daicho.domain.access.policy import ensure_may, ensure_operator, ensure_partner, ensure_signed_in
from daicho.domain.access.rules import OperatorPermission, Permission
from daicho.domain.bulk.commands import start_job
from daicho.domain.bulk.models import Job
from daicho.domain.tenancy.models import SmartAccount

EXPORT = "list.export"


@command(permission=None, events=("job.started",))
def start_export(
    actor: Actor,
    *,
    request_id: uuid.UUID,
    path: str,
    query: str,
    file_format: str,
    title: str,
    account: SmartAccount | None = None,
    company: PartnerCompany | None = None,
) -> Job:
    """Let the worker write a list that the person sees to a file: all that its conditions leave, whatever its length.

    The list is asked for again, as the person would, when the worker comes to it: what he may not see then is not in it.
    `path` and `query` are the list's address, `title` its name in the person's language.
    """
    ensure_signed_in(actor)
    if account is not None:
        ensure_may(actor, Permission.ACCOUNT_VIEW, account)
    if company is not None:
        ensure_partner(actor, company)
    if account is None and company is None:
        ensure_operator(actor, OperatorPermission.SUPPORT)
    params = {"path": path, "query": query, "format": file_format}
    return start_job(
        actor, kind=EXPORT, request_id=request_id, account=account, company=company, params=params,
        title={"list": title, "format": file_format.upper()},
    )  # fmt: skip
