from daicho.interfaces.portal.views import licenses_detail as detail
from daicho.interfaces.portal.views import licenses_list as listing
from daicho.interfaces.portal.views import licenses_lots as lots
from daicho.interfaces.portal.views import licenses_use as use
from daicho.interfaces.portal.web import account_paths

urlpatterns = [
    *account_paths("licenses/", listing.license_list, "licenses-list"),
    *account_paths("licenses/by-license/", listing.by_license, "licenses-by-license"),
    *account_paths("licenses/by-virtual-account/", listing.by_virtual_account, "licenses-by-place"),
    *account_paths("licenses/branches/", listing.branches, "licenses-branches"),
    *account_paths("subscriptions/", lots.subscriptions, "licenses-subscriptions"),
    *account_paths("licenses/<str:tag>/", detail.lots, "licenses-detail"),
    *account_paths("licenses/<str:tag>/devices/", detail.devices, "licenses-devices"),
    *account_paths("licenses/<str:tag>/virtual-accounts/", detail.places, "licenses-places"),
    *account_paths("licenses/<str:tag>/use-over-time/", detail.trend, "licenses-trend"),
    *account_paths("licenses/<str:tag>/orders/", detail.orders, "licenses-orders"),
    *account_paths("licenses/<str:tag>/history/", detail.acts, "licenses-acts"),
    *account_paths("licenses/<str:tag>/use/", use.use_on_device, "licenses-use"),
]
