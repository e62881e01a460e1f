from daicho.interfaces.portal.views import devices_edit as edit
from daicho.interfaces.portal.views import devices_import as by_file
from daicho.interfaces.portal.views import devices_licenses as licenses
from daicho.interfaces.portal.views import devices_list as listing
from daicho.interfaces.portal.web import account_paths

urlpatterns = [
    *account_paths("devices/", listing.device_list, "devices-list"),
    *account_paths("devices/new/", edit.new, "devices-new"),
    *account_paths("devices/import/", by_file.upload, "devices-import"),
    *account_paths("devices/import/<str:draft>/", by_file.check, "devices-import-check"),
    *account_paths("devices/template.csv", by_file.template, "devices-template"),
    *account_paths("devices/options/", listing.options, "devices-options"),
    *account_paths("devices/<str:device>/", listing.detail, "devices-detail"),
    *account_paths("devices/<str:device>/edit/", edit.edit, "devices-edit"),
    *account_paths("devices/<str:device>/move/", edit.move, "devices-move"),
    *account_paths("devices/<str:device>/remove/", edit.remove, "devices-remove"),
    *account_paths("devices/<str:device>/assign/", licenses.assign, "devices-assign"),
    *account_paths("devices/<str:device>/release/", licenses.release, "devices-release"),
    *account_paths("devices/<str:device>/reuse/", licenses.reuse, "devices-reuse"),
]
