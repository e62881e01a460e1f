"""The product's own settings for the test run: only the database, the hashing of passwords and the files differ.

DAICHO_TEST_DB=sqlite (default) or postgres chooses the database. Whatever DAICHO_… the developer's shell holds is
left out, so that a test run depends on nothing but the tree.
"""

import atexit
import os
import shutil
import tempfile

from daicho.config import env

for _name in [name for name in os.environ if name.startswith("DAICHO_") and name not in env.OF_TOOLS]:
    del os.environ[_name]
os.environ |= {
    "DAICHO_SECRET_KEY": "a key for tests, long enough to please the system check, secret to nobody",
    "DAICHO_SITE_URL": "http://testserver",
    "DAICHO_DEMO": "1",
    "DAICHO_SUPPORT_MAIL": "support@vendor.example",
    "DAICHO_SUPPORT_PHONE": "03-0000-0000",
    "DAICHO_LOG_LEVEL": "ERROR",
}

from daicho.config.settings import *  # noqa: E402, F403
from daicho.config.settings import DATABASES, STORAGES  # noqa: E402

ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
WHITENOISE_AUTOREFRESH = True  # no scan of a directory that nobody collected

ON_SQLITE = os.environ.get("DAICHO_TEST_DB", "sqlite") == "sqlite"
if ON_SQLITE:
    # A file, not memory: the journal and the locks are then those of the product. Durability is not needed here.
    _directory = tempfile.mkdtemp(prefix="daicho-test-")
    atexit.register(shutil.rmtree, _directory, True)
    _path = os.path.join(_directory, "test.sqlite3")
    _options = DATABASES["default"]["OPTIONS"]
    DATABASES = {
        "default": DATABASES["default"]
        | {
            "NAME": _path,
            "TEST": {"NAME": _path},
            "OPTIONS": _options | {"init_command": _options["init_command"].replace("=FULL", "=OFF")},
        }
    }
else:
    from tests.support import postgres

    DATABASES = {"default": postgres.database() | {"CONN_HEALTH_CHECKS": False}}
