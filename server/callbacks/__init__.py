"""Tells operators' backends what happens in their rooms (``zego-cloud.md`` §3): from the outbox in the store to an HTTP receiver."""
