from daicho.interfaces.portal.views import lots, lots_files, lots_import
from daicho.interfaces.portal.web import account_paths

urlpatterns = [
    *account_paths("lots/", lots.lot_list, "lots-list"),
    *account_paths("lots/import/", lots_import.upload, "lots-import"),
    *account_paths("lots/import/<str:file>/", lots_import.check, "lots-import-check"),
    *account_paths("lots/ledger-columns.<str:kind>", lots_import.export, "lots-export"),
    *account_paths("lots/<str:lot>/", lots.detail, "lots-detail"),
    *account_paths("lots/<str:lot>/edit/", lots.edit, "lots-edit"),
    *account_paths("lots/<str:lot>/files/", lots_files.attach, "lots-files"),
    *account_paths("lots/<str:lot>/files/<str:file>/", lots_files.save, "lots-file"),
    *account_paths("lots/<str:lot>/files/<str:file>/remove/", lots_files.remove, "lots-file-remove"),
]
