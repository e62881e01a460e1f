from daicho.interfaces.portal.views import home
from daicho.interfaces.portal.web import account_paths

urlpatterns = account_paths("", home.dashboard, "home-dashboard")
