from daicho.interfaces.portal.views import replacements as views
from daicho.interfaces.portal.web import account_paths

urlpatterns = [
    *account_paths("devices/<str:device>/replace/", views.replace, "replacements-new"),
    *account_paths("replacements/", views.listing, "replacements-list"),
    *account_paths("replacements/<str:replacement>/", views.detail, "replacements-detail"),
]
