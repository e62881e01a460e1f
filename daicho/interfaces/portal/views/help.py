"""Help in both languages, one topic for each area of the portal; glossary, browsers, the first-run tour (S24)."""

from __future__ import annotations

from pathlib import Path

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from daicho.core.errors import NotFound
from daicho.domain.accounts.commands.guides import hide_tour, tick_tour
from daicho.domain.accounts.queries_guides import TOUR_STEPS, guides, tour_of
from daicho.domain.devices.ladder import RUNGS
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal import prose
from daicho.interfaces.portal.help_topics import TOPICS
from daicho.interfaces.portal.views.agreements import language_now
from daicho.interfaces.portal.web import Here, public_page, signed_in_page

TEXTS = Path(__file__).resolve().parent.parent / "texts" / "help"

TOUR = {
    "agreement": (gettext_lazy("Accept the account agreement, so that licenses can be received."), "agreements"),
    "people": (gettext_lazy("Invite a second administrator, so that somebody can stand in for you."), "people"),
    "virtual_accounts": (gettext_lazy("Create virtual accounts for your departments or places."), "virtual_accounts"),
    "licenses": (gettext_lazy("Look at your licenses: what is short, what ends, what is spare."), "licenses"),
    "notices": (gettext_lazy("Choose which mails you want before licenses end."), "alerts"),
}


def help_text(topic: str, language: str) -> str:
    """The text of a topic; raises NotFound for one that is not there."""
    if topic not in TOPICS:
        raise NotFound
    return (TEXTS / language / f"{topic}.md").read_text("utf-8")


@public_page
def index(request: HttpRequest, here: Here) -> HttpResponse:
    """All topics, the operator's guides, the tour."""
    main, others = guides(language_now())
    topics = [(reverse("help-topic", kwargs={"topic": key}), title) for key, title in TOPICS.items()]
    context = {"topics": topics, "main": main, "others": others}
    if request.user.is_authenticated:
        tour = tour_of(here.actor)
        context |= {"tour": tour_steps(tour.done), "tour_hidden": tour.hidden}
    return render(request, "help/index.html", context)


def tour_steps(done: frozenset[str]) -> list[dict[str, object]]:
    """The five steps with their ticks; also for the home page."""
    return [{"key": key, "text": TOUR[key][0], "topic": TOUR[key][1], "done": key in done} for key in TOUR_STEPS]


@public_page
def topic(request: HttpRequest, here: Here, topic: str) -> HttpResponse:
    """One topic."""
    context = {
        "title": TOPICS.get(topic, ""),
        "text": prose.html(help_text(topic, language_now()), first_heading=1),
        "crumbs": [kit.Crumb(gettext_lazy("Help"), reverse("help-index"))],
        "codes": RUNGS.values() if topic == "devices" else (),
    }
    return render(request, "help/topic.html", context)


@require_POST
@signed_in_page
def tour(request: HttpRequest, here: Here) -> HttpResponseBase:
    """Tick a step of the tour, take a tick away, show or hide the tour."""
    if "hidden" in request.POST:
        hide_tour(here.actor, hidden=request.POST["hidden"] == "1")
    else:
        tick_tour(here.actor, step=request.POST.get("step", ""), done=request.POST.get("done") == "1")
    target = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        target = reverse("help-index")
    return HttpResponseRedirect(target)
