"""Files: bytes kept in the database in parts, for uploads, results and attachments."""
