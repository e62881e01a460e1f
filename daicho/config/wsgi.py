"""The WSGI application that `daicho serve` runs: devices are answered before Django, everybody else by it."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "daicho.config.settings")
portal = get_wsgi_application()

from daicho.interfaces.api.lanes import open_lanes  # noqa: E402  after the applications are ready
from daicho.interfaces.device_api.lanes import front  # noqa: E402
from daicho.interfaces.device_api.wsgi import before  # noqa: E402
from daicho.interfaces.portal.turns import begin_turns  # noqa: E402

TURNS = min(8, (os.cpu_count() or 1) + 1)
"""Requests that one process answers at a time; on PostgreSQL each holds a connection. More than this wait for Python itself."""

begin_turns(TURNS)
open_lanes()
application = before(portal, front())
