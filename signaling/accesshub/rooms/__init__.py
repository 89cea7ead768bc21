"""Service 17: rooms, users, streams and messages in protobuf (``sdk-3x.md`` §5)."""
