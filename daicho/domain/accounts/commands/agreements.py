"""The account agreement: published by the operator, accepted once for each account (S17, S21)."""

from __future__ import annotations

from datetime import datetime, timedelta

from daicho.core.actor import Actor
from daicho.core.clock import FOREVER, now
from daicho.core.commands import command
from daicho.core.errors import BusinessError, FieldErrors, NotFound
from daicho.core.text import fingerprint
from daicho.domain.access.policy import ensure_may, ensure_operator, ensure_signed_in
from daicho.domain.access.rules import MATRIX, OperatorPermission, Permission
from daicho.domain.accounts import errors, rules
from daicho.domain.accounts.models import Acceptance, Agreement
from daicho.domain.audit.record import record
from daicho.domain.orders.commands.waiting import deposit_waiting
from daicho.domain.tenancy.models import SmartAccount

MAX_TEXT = 200_000
FARTHEST = timedelta(days=3653)
SLACK = timedelta(minutes=5)
"""How far behind now "at once" may be when it arrives."""


@command(permission=OperatorPermission.AGREEMENTS, events=("agreement.published",))
def publish_agreement(
    actor: Actor, *, title_ja: str, title_en: str, text_ja: str, text_en: str, effective_at: datetime
) -> Agreement:
    """Publish a new version of the account agreement in both languages, in force from an instant on.

    From then on it must be accepted; until then accounts go on with the last one. Texts have 1–200,000 characters.
    Raises FieldErrors (422), among them `effective_in_the_past`: neither in the past nor before the last version.
    """
    ensure_operator(actor, OperatorPermission.AGREEMENTS)
    texts = {"title_ja": title_ja, "title_en": title_en, "text_ja": text_ja, "text_en": text_en}
    kept = {name: text.replace("\r\n", "\n").strip() for name, text in texts.items()}
    found: dict[str, BusinessError] = {name: errors.required() for name, text in kept.items() if not text}
    for name, limit in (("title_ja", 200), ("title_en", 200), ("text_ja", MAX_TEXT), ("text_en", MAX_TEXT)):
        if len(kept[name]) > limit:
            found[name] = errors.too_long(limit)
    last = Agreement.objects.select_for_update().order_by("-version").first()
    at = now()
    if effective_at < at - SLACK or (last is not None and effective_at <= last.effective_at):
        found["effective_at"] = errors.effective_in_the_past()
    elif effective_at > at + FARTHEST:
        found["effective_at"] = errors.effective_too_late()
    if found:
        raise FieldErrors(found)
    effective_at = max(effective_at, at)
    agreement = Agreement.objects.create(
        version=last.version + 1 if last else 1,
        published_at=at,
        effective_at=effective_at,
        published_by_name=actor.name[:100],
        **kept,
    )
    SmartAccount.objects.filter(good_standing_until__gt=effective_at).update(good_standing_until=effective_at)
    record(
        actor, "agreement.published", subject=f"v{agreement.version}", subject_uid=agreement.uid,
        after={"version": agreement.version, "effective_at": effective_at.isoformat()},
    )  # fmt: skip
    return agreement


@command(permission=Permission.AGREEMENTS_ACCEPT, events=("agreement.accepted", "license.deposited"))
def accept_agreement(actor: Actor, *, account: SmartAccount, agreement_uid: str, language: str) -> Acceptance:
    """Accept a version for the account: who, in which role, when, from where and which text are kept (S17).

    An administrator or approver, in the language he read (ja or en). Waiting order lines land at once. Raises
    `agreement_already_accepted`, `agreement_not_next` (409).
    """
    scope = ensure_may(actor, Permission.AGREEMENTS_ACCEPT, account)
    user = ensure_signed_in(actor)
    account = SmartAccount.objects.select_for_update().get(pk=account.pk)
    versions = list(Agreement.objects.order_by("version"))
    done = set(account.acceptances.values_list("agreement_id", flat=True))
    agreement = next((one for one in versions if one.uid == agreement_uid), None)
    if agreement is None:
        raise NotFound
    if agreement.pk in done:
        raise errors.agreement_already_accepted()
    at = now()
    effective = [one.effective_at for one in versions]
    place = rules.next_to_accept(effective, [one.pk in done for one in versions], at)
    if place is None or versions[place].pk != agreement.pk:
        raise errors.agreement_not_next(versions[place].version if place is not None else agreement.version)
    role = next(role for role, where in scope.roles if where is None and Permission.AGREEMENTS_ACCEPT in MATRIX[role])
    text = agreement.text_ja if language == "ja" else agreement.text_en
    acceptance = Acceptance.objects.create(
        account=account,
        agreement=agreement,
        user=user,
        user_name=user.get_full_name()[:100],
        user_email=user.email,
        role=role.value,
        language="ja" if language == "ja" else "en",
        text_hash=fingerprint(text),
        address=actor.address[:45],
        at=at,
    )
    done.add(agreement.pk)
    account.good_standing_until = rules.good_standing_until(
        effective, [one.pk in done for one in versions], at, forever=FOREVER
    )
    account.save(update_fields=["good_standing_until"])
    record(
        actor, "agreement.accepted", account=account, subject=f"v{agreement.version}", subject_uid=agreement.uid,
        after={
            "version": agreement.version, "text_hash": acceptance.text_hash, "role": acceptance.role,
            "language": acceptance.language,
        },
    )  # fmt: skip
    deposit_waiting(actor, account=account)
    return acceptance
