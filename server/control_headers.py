"""Headers of a signed request to ``/control``, in this order: AppID, Unix seconds, nonce, signature."""

HEADERS = ("X-Hearth-App-Id", "X-Hearth-Timestamp", "X-Hearth-Nonce", "X-Hearth-Signature")
