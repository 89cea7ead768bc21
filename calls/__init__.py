"""Calls: what binds a user's room session to that user's media, whatever the dialect and whatever moves the packets."""
