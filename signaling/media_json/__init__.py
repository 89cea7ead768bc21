"""The ``/media`` dialect: text JSON that carries offers and answers of the web SDK 2.9.1 – 2.14.0 (``web-1x-2x.md``)."""
