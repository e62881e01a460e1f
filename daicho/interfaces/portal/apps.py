"""The portal: the pages that people use."""

from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "daicho.interfaces.portal"
    label = "portal"

    def ready(self) -> None:
        from daicho.domain.bulk.exports import EXPORT
        from daicho.interfaces.jobs.periodic import RUNNERS
        from daicho.interfaces.portal.account_events import listen
        from daicho.interfaces.portal.export_jobs import run_export

        listen()
        RUNNERS[EXPORT] = run_export
