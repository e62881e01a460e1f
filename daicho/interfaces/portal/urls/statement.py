from daicho.interfaces.portal.views import statement as views
from daicho.interfaces.portal.web import account_paths

urlpatterns = [
    *account_paths("statement/", views.lines, "statement-lines"),
    *account_paths("statement/licenses/", views.licenses, "statement-licenses"),
]
