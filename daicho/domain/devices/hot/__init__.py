"""The acts of devices, many at once: each function is one transaction, and nobody is answered before its commit.

One bad request fails alone; a repeated one gets its first answer (docs/device-protocol.md).
"""

from daicho.domain.devices.hot.authorizing import authorize_many
from daicho.domain.devices.hot.leaving import deregister_many
from daicho.domain.devices.hot.registering import register_many
from daicho.domain.devices.hot.renewing import renew_certificates
from daicho.domain.devices.hot.reply import Reply

__all__ = ["Reply", "authorize_many", "deregister_many", "register_many", "renew_certificates"]
