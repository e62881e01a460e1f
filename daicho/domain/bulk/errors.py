"""Why a job is not started, or ends before its end. Codes are public."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from daicho.core.errors import BusinessError


class TooManyJobs(BusinessError):
    """Whoever starts jobs in a loop must not keep the others waiting."""

    def __init__(self, limit: int) -> None:
        super().__init__(
            "too_many_jobs",
            409,
            _("%(limit)s of your jobs still wait or run. Start another one when one of them has ended."),
            limit=limit,
        )


class RequestIdReused(BusinessError):
    """The same request id with other content."""

    def __init__(self) -> None:
        super().__init__(
            "request_id_reused",
            409,
            _("This request id was used before with other content. Send a new request with a new id."),
        )


class JobEnded(BusinessError):
    """Only what waits or runs can be cancelled."""

    def __init__(self) -> None:
        super().__init__("job_ended", 409, _("This job has already ended."))


class ResultGone(BusinessError):
    """Files of a job are kept for 30 days."""

    def __init__(self) -> None:
        super().__init__("result_gone", 410, _("Files of jobs are kept for 30 days after their end. These are gone."))


class StarterGone(BusinessError):
    """A job acts in the name of whoever started it, so it ends with him."""

    def __init__(self) -> None:
        super().__init__(
            "starter_gone", 403, _("Whoever started this job cannot log in any more, so it was not finished.")
        )


class InterruptedTooOften(BusinessError):
    """It took its worker down with it each time, or its server was killed each time."""

    def __init__(self) -> None:
        super().__init__(
            "interrupted_too_often",
            500,
            _("This job was interrupted several times without getting on. What is done so far stays. Start it again."),
        )


class JobBroke(BusinessError):
    """A fault of ours; the log of the worker tells more."""

    def __init__(self) -> None:
        super().__init__(
            "job_broke",
            500,
            _("This job stopped because of a fault in Daicho. What is done so far stays. Tell the support desk."),
        )
