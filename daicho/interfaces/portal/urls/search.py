from daicho.interfaces.portal.views import search
from daicho.interfaces.portal.web import account_paths

urlpatterns = account_paths("search/", search.results, "search-results")
