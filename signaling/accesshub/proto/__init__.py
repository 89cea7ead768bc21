"""Messages of the wire. ``accesshub_pb2`` is generated: ``make proto`` after a change of ``accesshub.proto``."""
