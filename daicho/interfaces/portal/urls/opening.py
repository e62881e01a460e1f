"""Opening a Smart Account."""

from django.urls import path

from daicho.interfaces.portal.views import opening, opening_links

urlpatterns = [
    path("opening/", opening.openings, name="opening-list"),
    path("opening/find/", opening.find, name="opening-find"),
    path("opening/start/", opening.start, name="opening-start"),
    path("opening/contest/", opening.contest, name="opening-contest"),
    path("opening/reason/<str:secret>/", opening_links.reason, name="opening-reason"),
    path("opening/approve/<str:secret>/", opening_links.approve, name="opening-approve"),
    path("opening/activate/<str:secret>/", opening_links.activate, name="opening-activate"),
    path("opening/<str:uid>/", opening.status, name="opening-status"),
    path("opening/<str:uid>/draft/", opening.draft, name="opening-draft"),
    path("opening/<str:uid>/standing/", opening.identifier, name="opening-standing"),
    path("opening/<str:uid>/postal-code/", opening.postal_code, name="opening-postal-code"),
    path("opening/<str:uid>/resend/", opening.resend, name="opening-resend"),
    path("opening/<str:uid>/withdraw/", opening.withdraw, name="opening-withdraw"),
    path("opening/<str:uid>/<str:step>/", opening.step, name="opening-step"),
]
