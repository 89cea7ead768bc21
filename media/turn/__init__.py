"""A TURN server whose relay ends in this node's own SFU and nowhere else (RFC 8656, over UDP)."""
