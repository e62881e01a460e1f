from daicho.interfaces.portal.views import device_imports as views
from daicho.interfaces.portal.web import account_paths

urlpatterns = [
    *account_paths("device-imports/", views.paste, "device_imports-new"),
    *account_paths("device-imports/licenses/", views.licenses, "device_imports-licenses"),
    *account_paths("device-imports/undo/<str:imported>/", views.undo, "device_imports-undo"),
    *account_paths("device-imports/<str:draft>/", views.check, "device_imports-check"),
]
