"""The operator's HTTP API: the cloud's server API v2 (``protocol/zego-cloud.md`` §2), action by action, from one table (``table.py``)."""
