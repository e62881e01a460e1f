"""稼働状況: is it well? Jobs, mail, the ledger and the seal of the event log, each with what to do about it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext

from daicho.core.clock import now
from daicho.domain.access.rules import OperatorPermission
from daicho.domain.alerts.commands.outbox import retry_failed_mails, retry_mail
from daicho.domain.alerts.queries import list_troubled_mails
from daicho.domain.audit.seal import seal_status, verify
from daicho.domain.ledger.check import check_ledger
from daicho.domain.mailbox.queries import outbox
from daicho.domain.schedule.queries import SEEN_WITHIN, job_runs, workers
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal import words
from daicho.interfaces.portal.web import Here, operator_page

JOB_WORDS: dict[str, str | Promise] = {
    "send-mail": lazy("Send mail"),
    "sweep-ledger": lazy("Start and end licenses"),
    "watch-alerts": lazy("Raise alerts and post summaries"),
    "seal-events": lazy("Seal the event log"),
    "land-orders": lazy("Deposit orders that waited"),
    "run-openings": lazy("Remind of openings, and let them lapse"),
    "end-grants": lazy("End rights whose time is over"),
    "hand-over-rights": lazy("Hand over rights on their day"),
    "forget-requests": lazy("Forget answers kept for repeated requests"),
    "end-sessions": lazy("Remove ended sessions"),
    "forget-jobs": lazy("Remove old files of jobs and unused uploads"),
}
SHOWN_FINDINGS = 5


@operator_page(OperatorPermission.SUPPORT)
def page(request: HttpRequest, here: Here) -> HttpResponseBase:
    box, seal = outbox(), seal_status()
    alive = [one for one in workers() if one.seen_at >= now() - SEEN_WITHIN]
    jobs = job_runs()
    late_mail = box.oldest_due is not None and (now() - box.oldest_due).total_seconds() > 60
    late_seal = seal.waiting_since is not None and (now() - seal.waiting_since).total_seconds() > 120
    failing = [job for job in jobs if job.failures]
    context = {
        "crumbs": [],
        "well": bool(alive) and not failing and not box.failed and not late_mail and not late_seal,
        "workers": alive,
        "jobs": [
            {
                "name": JOB_WORDS.get(job.name, job.name),
                "state": kit.State("failed", job.failures) if job.failures else kit.State("done" if job.last_succeeded else "neutral"),
                "last": job.last_succeeded,
                "error": job.last_error,
            }
            for job in jobs
        ],
        "outbox": [
            kit.Fact(_("Waiting to be sent"), words.num(box.waiting)),
            kit.Fact(_("Waiting for another attempt"), words.num(box.retrying)),
            kit.Fact(_("Failed"), words.num(box.failed)),
            kit.Fact(_("Sent in 24 hours"), words.num(box.sent_today)),
            kit.Fact(_("Longest due since"), words.datetime(box.oldest_due)),
        ],
        "failed_count": box.failed,
        "mails": [
            {
                "mail": mail,
                "state": kit.State("failed") if mail.state == "failed" else kit.State("waiting"),
                "retry": reverse("operator_status-retry", kwargs={"uid": mail.uid}),
            }
            for mail in list_troubled_mails(here.actor, 50)
        ],
        "seal": [
            kit.Fact(_("Blocks"), words.num(seal.blocks)),
            kit.Fact(_("Head of the chain"), seal.head[:16] or words.NOTHING),
            kit.Fact(_("Last sealed"), words.datetime(seal.sealed_at)),
            kit.Fact(_("Waiting since"), words.datetime(seal.waiting_since)),
        ],
    }  # fmt: skip
    return render(request, "operator_status/page.html", context)


def _back() -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("operator_status-page"))


@operator_page(OperatorPermission.SUPPORT)
def check_the_ledger(request: HttpRequest, here: Here) -> HttpResponseBase:
    if request.method != "POST":
        return _back()
    findings = list(check_ledger())
    if not findings:
        kit.tell(request, "done", _("The ledger is sound."))
        return _back()
    summary = ngettext(
        "The ledger is broken: %(count)d finding.", "The ledger is broken: %(count)d findings.", len(findings)
    )
    shown = " / ".join(str(finding) for finding in findings[:SHOWN_FINDINGS])
    kit.tell(request, "error", f"{summary % {'count': len(findings)}} {shown}")
    return _back()


@operator_page(OperatorPermission.SUPPORT)
def verify_the_log(request: HttpRequest, here: Here) -> HttpResponseBase:
    if request.method == "POST":
        wrong = verify()
        kit.tell(request, "error" if wrong else "done", str(wrong) if wrong else _("Every sealed event is unchanged."))
    return _back()


@operator_page(OperatorPermission.SUPPORT)
def retry_all(request: HttpRequest, here: Here) -> HttpResponseBase:
    if request.method == "POST":
        count = retry_failed_mails(here.actor)
        text = ngettext("%(count)s mail is sent again.", "%(count)s mails are sent again.", count)
        kit.tell(request, "done", text % {"count": words.num(count)})
    return _back()


@operator_page(OperatorPermission.SUPPORT)
def retry_one(request: HttpRequest, here: Here, uid: str) -> HttpResponseBase:
    if request.method == "POST":
        mail = retry_mail(here.actor, uid=uid)
        kit.tell(request, "done", _("The mail to %(to)s is sent again.") % {"to": mail.to})
    return _back()
