"""Two colleagues press "continue" at the same moment: exactly one takes the identifier (PostgreSQL)."""

from __future__ import annotations

import threading

import pytest
from django.db import connections

from daicho.core.errors import BusinessError
from daicho.domain.accounts.commands.activation import activate_account
from daicho.domain.accounts.commands.opening import continue_opening
from daicho.domain.accounts.models import Opening
from daicho.domain.tenancy.models import SmartAccount
from tests.opening import cast
from tests.world import actor, make_user

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def at_once(acts) -> list[str]:
    """Run the acts in threads that start together; what each returned or refused."""
    barrier = threading.Barrier(len(acts))
    results = [""] * len(acts)

    def run(place: int) -> None:
        try:
            barrier.wait(10)
            results[place] = acts[place]().state
        except BusinessError as error:
            results[place] = error.code
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


def test_of_eight_colleagues_one_takes_the_identifier_and_the_others_are_told() -> None:
    users = [make_user(f"u{number}@sample.example.jp", f"U{number}") for number in range(8)]
    drafts = [cast.drafted(user) for user in users]
    results = at_once(
        [
            lambda user=user, draft=draft: continue_opening(actor(user), opening_uid=draft.uid)
            for user, draft in zip(users, drafts, strict=True)
        ]
    )
    assert sorted(results) == ["awaiting_activation"] + ["domain_being_opened"] * 7
    assert SmartAccount.objects.count() == 1
    assert Opening.objects.filter(state="draft").count() == 7


def test_a_link_pressed_twice_at_once_activates_once() -> None:
    hana = cast.hana()
    cast.continued(hana)
    secret = cast.secret_for(hana.email)
    results = at_once([lambda: activate_account(cast.VISITOR, secret=secret)] * 4)
    assert sorted(results) == ["active"] + ["link_unusable"] * 3
