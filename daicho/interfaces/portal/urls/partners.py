"""People of other companies with rights in an account."""

from daicho.interfaces.portal.views import partners
from daicho.interfaces.portal.web import account_paths

urlpatterns = account_paths("partners/", partners.partners, "partners-list")
