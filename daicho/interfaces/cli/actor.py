"""Who acts at the console: whoever owns the machine, by the name of his account there."""

from __future__ import annotations

import getpass
from dataclasses import replace

from django.utils.translation import get_language

from daicho.core.actor import Actor


def console_actor() -> Actor:
    """The system user of this installation, named after the account that runs the command."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a container without an entry for its user id
        name = "console"
    return replace(Actor.system(name, interface="cli"), language=get_language() or "en")
