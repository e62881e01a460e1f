"""`daicho load-demo` makes a world that looks alive: short, ending, ended, spare, idle, waiting. Once."""

from __future__ import annotations

import time

from django.conf import settings
from django.db import transaction

from daicho.core.clock import now
from daicho.domain.accounts.commands.guides import GuideInput, add_guide
from daicho.domain.ledger.sweep import sweep_due
from daicho.domain.orders.commands.cancel import cancel_line
from daicho.domain.orders.queries.lines import Filters, list_all_lines
from daicho.interfaces.cli.demo import accounts, cast, ledger_columns, orders, texts
from daicho.interfaces.cli.demo.catalog import stock_catalog
from daicho.interfaces.cli.demo.devices import Workshop
from daicho.interfaces.cli.demo.instances import let_devices_register
from daicho.interfaces.cli.demo.offline import reserve_for_offline_devices


def load() -> list[dict[str, str]]:
    """Make the world, all of it or nothing, and return its log-ins; where it exists, only renew the passwords."""
    if cast.is_there():
        return cast.log_ins(cast.renew_passwords(), settings.SITE_URL)
    with transaction.atomic():
        players = cast.gather()
        tags = stock_catalog(players)
        for position, guide in enumerate(texts.GUIDES):
            title, url, language, kind, minutes, login, main = guide
            add_guide(players.operator, guide=GuideInput(title, url, language, kind, minutes, login, main, position))
        agreement = accounts.publish_first_agreement(players)
        company = accounts.establish_company(players, agreement)
        accounts.welcome_newcomer(players)
        accounts.hold_an_opening(players)
        orders.place_orders(players, orders.bring_partner(players))
        orders.assign_some(players, company)
        ledger_columns.write_down(players, company)
        workshop = Workshop(players, company, tags)
        workshop.install_fleet()
        workshop.run_short_in_kawasaki()
        workshop.move_around()
        let_devices_register(workshop)
        reserve_for_offline_devices(workshop)
        _cancel_one(players)
        accounts.publish_next_agreement(players)
        ends = workshop.run_short_in_osaka()
    time.sleep(max(0.0, (ends - now()).total_seconds()))
    sweep_due()
    return cast.log_ins(players.password, settings.SITE_URL)


def _cancel_one(players: cast.Cast) -> None:
    """A line is cancelled as far as nobody uses it."""
    for row in list_all_lines(players.operator, filters=Filters(text="KN-25-0211")).rows:
        if row.line.tag.sku == "NET-ESS":
            cancel_line(players.operator, line=row.line, request_id=players.operator.request_id, memo="数量の見直し")
