"""Virtual accounts."""

from daicho.interfaces.portal.views import virtual_accounts as views
from daicho.interfaces.portal.views import virtual_accounts_change as change
from daicho.interfaces.portal.views import virtual_accounts_choose as choose
from daicho.interfaces.portal.web import account_paths

urlpatterns = [
    *account_paths("virtual-accounts/", views.tree, "virtual_accounts-list"),
    *account_paths("virtual-accounts/new/", views.new, "virtual_accounts-new"),
    *account_paths("virtual-accounts/import/", change.import_tree, "virtual_accounts-import"),
    *account_paths("virtual-accounts/import/sample.csv", change.sample, "virtual_accounts-sample"),
    *account_paths("virtual-accounts/choices/", views.choices, "virtual_accounts-choices"),
    *account_paths("virtual-accounts/choose/", choose.choose, "virtual_accounts-choose"),
    *account_paths("virtual-accounts/<str:uid>/", views.detail, "virtual_accounts-detail"),
    *account_paths("virtual-accounts/<str:uid>/edit/", views.edit, "virtual_accounts-edit"),
    *account_paths("virtual-accounts/<str:uid>/parent/", views.nest, "virtual_accounts-nest"),
    *account_paths("virtual-accounts/<str:uid>/default/", views.make_default, "virtual_accounts-default"),
    *account_paths("virtual-accounts/<str:uid>/move/", change.move, "virtual_accounts-move"),
    *account_paths("virtual-accounts/<str:uid>/delete/", change.delete, "virtual_accounts-delete"),
]
