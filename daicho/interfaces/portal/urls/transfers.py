from daicho.interfaces.portal.views import transfers_csv as by_file
from daicho.interfaces.portal.views import transfers_large as large
from daicho.interfaces.portal.views import transfers_list as history
from daicho.interfaces.portal.views import transfers_new as new
from daicho.interfaces.portal.views import transfers_requests as requests
from daicho.interfaces.portal.web import account_paths

urlpatterns = [
    *account_paths("transfers/", history.transfer_list, "transfers-list"),
    *account_paths("transfers/new/", new.choose, "transfers-new"),
    *account_paths("transfers/start/", new.start, "transfers-start"),
    *account_paths("transfers/drafts/<str:draft>/", new.quantities, "transfers-draft"),
    *account_paths("transfers/drafts/<str:draft>/check/", new.check, "transfers-check"),
    *account_paths("transfers/drafts/<str:draft>/discard/", new.discard, "transfers-discard"),
    *account_paths("transfers/matching/", large.matching, "transfers-matching"),
    *account_paths("transfers/targets/", new.targets, "transfers-targets"),
    *account_paths("transfers/csv/", by_file.upload, "transfers-csv"),
    *account_paths("transfers/template.csv", by_file.template, "transfers-template"),
    *account_paths("transfers/requests/", requests.request_list, "transfers-requests"),
    *account_paths("transfers/requests/<str:waiting>/", requests.request_detail, "transfers-request"),
    *account_paths("transfers/requests/<str:waiting>/decide/", requests.decide, "transfers-decide"),
    *account_paths("transfers/<str:entry>/", history.detail, "transfers-detail"),
    *account_paths("transfers/<str:entry>/again/", new.again, "transfers-again"),
    *account_paths("transfers/<str:entry>/undo/", history.undo, "transfers-undo"),
]
