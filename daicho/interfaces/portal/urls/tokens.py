from daicho.interfaces.portal.views import tokens as views
from daicho.interfaces.portal.web import account_paths

urlpatterns = [
    *account_paths("tokens/", views.listing, "tokens-list"),
    *account_paths("tokens/new/", views.new, "tokens-new"),
    *account_paths("tokens/<str:registration>/", views.detail, "tokens-detail"),
    *account_paths("tokens/<str:registration>/show/", views.show, "tokens-show"),
    *account_paths("tokens/<str:registration>/revoke/", views.revoke, "tokens-revoke"),
]
