from daicho.interfaces.portal.views import reservations_list as listing
from daicho.interfaces.portal.views import reservations_new as wizard
from daicho.interfaces.portal.views import reservations_steps as steps
from daicho.interfaces.portal.web import account_paths

urlpatterns = [
    *account_paths("reservations/", listing.reservation_list, "reservations-list"),
    *account_paths("reservations/new/", wizard.ask, "reservations-new"),
    *account_paths("reservations/drafts/<str:draft>/", wizard.choose, "reservations-draft"),
    *account_paths("reservations/drafts/<str:draft>/check/", wizard.check, "reservations-check"),
    *account_paths("reservations/drafts/<str:draft>/discard/", wizard.discard, "reservations-discard"),
    *account_paths("reservations/<str:reservation>/", listing.detail, "reservations-detail"),
    *account_paths("reservations/<str:reservation>/codes/", steps.codes, "reservations-codes"),
    *account_paths("reservations/<str:reservation>/file/", steps.file, "reservations-file"),
    *account_paths("reservations/<str:reservation>/confirm/", steps.confirm, "reservations-confirm"),
    *account_paths("reservations/<str:reservation>/change/", steps.change, "reservations-change"),
    *account_paths("reservations/<str:reservation>/return/", steps.give_back, "reservations-return"),
    *account_paths("reservations/<str:reservation>/withdraw/", steps.withdraw, "reservations-withdraw"),
    *account_paths("reservations/<str:reservation>/bind/", steps.bind, "reservations-bind"),
    *account_paths("reservations/<str:reservation>/undo/", steps.undo, "reservations-undo"),
]
