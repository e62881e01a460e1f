"""Mail: texts by template and language, rendered and sent by the worker (docs/mail.md)."""
