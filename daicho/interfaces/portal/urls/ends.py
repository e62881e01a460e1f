from daicho.interfaces.portal.views import ends_list
from daicho.interfaces.portal.web import account_paths

urlpatterns = [
    *account_paths("ending/", ends_list.ending, "ends-list"),
    *account_paths("ended/", ends_list.ended, "ends-ended"),
]
