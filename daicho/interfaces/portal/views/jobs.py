"""一括処理: what takes longer than a page may – how far it is, what came of it, and the end of it on demand.

The same pages stand in an account, at a partner's desk and at the operator's; they differ only in their addresses.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext, pgettext

from daicho.core.errors import BusinessError, NotFound
from daicho.core.tabular import csv_lines
from daicho.domain.access.rules import OperatorPermission, Permission
from daicho.domain.bulk.commands import cancel_job
from daicho.domain.bulk.queries import (
    all_jobs,
    find_job,
    first_refusals,
    jobs_of_account,
    jobs_of_company,
    may_read_content,
    progress_of,
    refused_rows,
    result_of,
    title_of,
)
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal import words
from daicho.interfaces.portal.lists import Column, Empty, ListPage, ListQuery
from daicho.interfaces.portal.web import Here, account_page, operator_page, partner_page

if TYPE_CHECKING:
    from daicho.domain.bulk.models import Job

SHOWN = 50  # refused rows on the page; the file holds all
AREAS = {"account": "jobs", "partner": "partner-jobs", "operator": "operator_jobs"}


def job_url(here: Here, job: Job, page: str = "detail") -> str:
    """The address of a job's page where the reader stands: what starting something big answers with."""
    return _url(here, page, uid=job.uid)


def _url(here: Here, page: str, **kwargs: Any) -> str:
    name = f"{AREAS[here.frame]}-{page}"
    if here.frame == "operator":
        return reverse(name, kwargs=kwargs)
    return here.url(name, va=None, **kwargs) if here.frame == "account" else here.url(name, **kwargs)


def everywhere(view: Callable[..., HttpResponseBase]) -> dict[str, Callable[..., HttpResponseBase]]:
    """The page in an account, at a partner's desk and at the operator's."""
    return {
        "account": account_page(Permission.ACCOUNT_VIEW)(view),
        "partner": partner_page(view),
        "operator": operator_page(OperatorPermission.SUPPORT)(view),
    }


def find(here: Here, uid: str) -> Job:
    """The job, if it belongs where the reader stands and he may see it."""
    job = find_job(here.actor, uid)
    if here.frame == "account" and job.account_id != here.account.pk:
        raise NotFound
    if here.frame == "partner" and job.company_id != here.company.pk:
        raise NotFound
    return job


def state_text(job: Job) -> str:
    """The word of a state where a job has another one than requests and orders; "" where it has the usual one."""
    if job.state == "waiting":
        return pgettext("job state", "Waiting")
    return pgettext("job state", "Cancelled") if job.state == "cancelled" else ""


def counted(job: Job) -> str:
    """How far it is, in rows."""
    if job.total:
        text = ngettext("%(done)s of %(total)s row", "%(done)s of %(total)s rows", job.total)
        return text % {"done": words.num(job.done), "total": words.num(job.total)}
    return words.num(job.done) if job.done else words.NOTHING


class JobList(ListPage):
    """What was started here, the newest first."""

    key = "jobs"
    title = lazy("Jobs")
    default_size = 50
    here: Here
    empty = Empty(
        lazy("No jobs yet"),
        lazy("Large files, acts on everything that matches and large exports run as jobs. They are listed here."),
    )

    @property
    def columns(self) -> list[Column]:  # type: ignore[override]
        return [
            Column("title", lazy("Job"), value=title_of, link=lambda job: job_url(self.here, job)),
            Column("state", lazy("State"), kind="state", value=lambda job: kit.State(job.state, text=state_text(job))),
            Column("progress", lazy("Progress"), value=counted),
            Column("refused", lazy("Refused"), kind="num"),
            Column("starter_name", lazy("Started by")),
            Column("created_at", lazy("Started"), kind="datetime"),
            Column("ended_at", lazy("Ended at"), kind="datetime"),
        ]

    def fetch(self, q: ListQuery) -> Any:
        here = self.here
        if here.frame == "account":
            return jobs_of_account(here.actor, here.account, cursor=q.cursor, size=q.size)
        if here.frame == "partner":
            return jobs_of_company(here.actor, here.company, cursor=q.cursor, size=q.size)
        return all_jobs(here.actor, cursor=q.cursor, size=q.size)


def jobs(request: HttpRequest, here: Here) -> HttpResponseBase:
    return JobList(request, here=here).response({"frame": f"frames/{here.frame}.html"})


def shown(here: Here, job: Job) -> kit.Progress:
    """Progress, pace and files of a job."""
    progress, readable = progress_of(job), may_read_content(here.actor, job)
    kept = readable and job.forgotten_at is None
    notes = []
    if job.is_open and job.cancel_asked:
        notes.append(_("It is being cancelled: it stops after the rows it is at."))
    elif job.state == "waiting":
        notes.append(_("It waits for a worker. It begins by itself."))
    pace = []
    if job.state == "running" and progress.seconds_left is not None:
        pace.append(left(progress.seconds_left))
    if progress.rate is not None and job.done >= 100:
        pace.append(_("%(rate)s rows a second") % {"rate": words.num(max(1, round(progress.rate)))})
    if pace:
        notes.append(" · ".join(pace))
    if job.is_open:
        notes.append(_("You may leave this page. If it takes longer than two minutes, we mail you when it has ended."))
    if job.state == "cancelled" and job.done:
        notes.append(_("It was cancelled. What was done before stays done."))
    if job.forgotten_at is not None:
        notes.append(_("Its files were removed 30 days after its end."))
    return kit.Progress(
        title=_("Progress"),
        state=job.state,
        state_text=state_text(job),
        running=job.is_open,
        done=job.done,
        total=job.total if job.total or job.is_open else job.done,
        failed=job.refused,
        notes=notes,
        result_url=job_url(here, job, "result") if kept and job.result_id else "",
        failed_url=job_url(here, job, "refused") if kept and job.refused else "",
    )


def left(seconds: int) -> str:
    """How long it takes still, in the unit that says enough."""
    if seconds < 60:
        return _("Less than a minute left")
    minutes = round(seconds / 60)
    return ngettext("About %(minutes)s minute left", "About %(minutes)s minutes left", minutes) % {
        "minutes": words.num(minutes)
    }


def detail(request: HttpRequest, here: Here, uid: str) -> HttpResponseBase:
    """One job; asked again every two seconds while it runs."""
    job = find(here, uid)
    facts = [
        kit.Fact(_("Started by"), job.starter_name),
        kit.Fact(_("Started"), words.datetime(job.created_at)),
        kit.Fact(_("Ended at"), words.datetime(job.ended_at)),
    ]
    if job.source_name:
        facts.insert(0, kit.Fact(_("File"), job.source_name))
    if here.frame == "operator" and job.account is not None:
        facts.insert(0, kit.Fact(_("Smart Account"), job.account.name))
    if here.frame == "operator" and job.company is not None:
        facts.insert(0, kit.Fact(_("Partner company"), job.company.name))
    refusals = first_refusals(here.actor, job, limit=SHOWN) if job.refused else []
    context = {
        "frame": f"frames/{here.frame}.html",
        "crumbs": [kit.Crumb(_("Jobs"), _url(here, "list"))],
        "title": title_of(job),
        "job": job,
        "shown": shown(here, job),
        "facts": facts,
        "refusals": refusals,
        "more_refused": job.refused > SHOWN,
        "poll": request.path if job.is_open else "",
        "cancel": job_url(here, job, "cancel") if job.is_open and not job.cancel_asked else "",
        "error": job.error_text,
        "error_code": job.error_code,
        "announce_end": bool(getattr(request, "htmx", False)) and not job.is_open,
    }
    part = "#job" if getattr(request, "htmx", False) else ""
    return render(request, f"jobs/detail.html{part}", context)


def cancel(request: HttpRequest, here: Here, uid: str) -> HttpResponseBase:
    """End a job before its end."""
    job = find(here, uid)
    if request.method == "POST":
        try:
            job = cancel_job(here.actor, uid=uid)
        except BusinessError as error:
            if error.code != "job_ended":
                raise
            kit.tell(request, "info", error.text())
    return HttpResponseRedirect(job_url(here, job))


def result(request: HttpRequest, here: Here, uid: str) -> HttpResponseBase:
    """The file that the job made."""
    file, parts = result_of(here.actor, find(here, uid))
    return download(StreamingHttpResponse(parts, content_type=file.media_type), file.name, file.size)


def refused(request: HttpRequest, here: Here, uid: str) -> HttpResponseBase:
    """The rows that were refused, with the reasons, as CSV."""
    table = refused_rows(here.actor, find(here, uid))
    lines = (line.encode() for line in csv_lines(table.columns, table.rows))
    return download(StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8"), f"{table.name}.csv")


def download(answer: StreamingHttpResponse, name: str, size: int | None = None) -> StreamingHttpResponse:
    """An answer that browsers save under this name, in whatever script it is written (RFC 6266)."""
    plain = "".join(sign if sign.isascii() and sign.isprintable() and sign not in '"\\' else "_" for sign in name)
    answer["Content-Disposition"] = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
    if size is not None:
        answer["Content-Length"] = str(size)
    return answer
