"""Which members of a room its clients are told about, kept once per room and node.

Join and leave pushes stop making sense in a crowd, so members beyond the first ``limit`` neither get nor cause any
(``zego-cloud.md`` §4.4; the head count still counts them). The roster is also the memory of what the others were told: when
events were lost and the view has jumped, the difference is worked out here, once for all receivers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from rooms.model import User
from signaling.ports import View

Entry = TypeVar("Entry")


class Roster(Generic[Entry]):
    """The members of one room that are announced, in the order in which they came."""

    __slots__ = ("_entry", "_gone", "_joined", "_listed", "_members", "limit", "receivers", "rev")

    def __init__(self, view: View, limit: int, entry: Callable[[User], Entry]) -> None:
        """``entry``: how the dialect lists a member."""
        self._entry = entry
        self.limit = limit
        """0 = no limit."""
        self.receivers = 0
        """Sessions on this node that use it."""
        self.rev = view.rev
        """Of the last event that is in it."""
        self._members: dict[str, User] = self._first(view)
        self._listed: list[Entry] | None = None
        self._joined: list[User] = []
        self._gone: list[User] = []

    def __contains__(self, user_id: str) -> bool:
        return user_id in self._members

    def listed(self) -> list[Entry]:
        """What a client that asks for the user list is shown."""
        if self._listed is None:
            self._listed = [self._entry(user) for user in self._members.values()]
        return self._listed

    def join(self, user: User, rev: int) -> bool:
        """A member came. Returns whether that is announced; may be asked again for the same event."""
        if rev > self.rev:
            self._next(rev)
            if not self.limit or len(self._members) < self.limit:
                self._members[user.user_id] = user
                self._listed = None
        known = self._members.get(user.user_id)
        return known is not None and known.session_id == user.session_id

    def leave(self, user: User, rev: int) -> bool:
        """A member went. Returns whether that is announced. To be asked once per event."""
        if rev <= self.rev:
            return False
        self._next(rev)
        known = self._members.get(user.user_id)
        if known is None or known.session_id != user.session_id:
            return False
        del self._members[user.user_id]
        self._listed = None
        return True

    def jump(self, view: View) -> tuple[list[User], list[User]]:
        """The view has changed without events. Returns who went and who came, the same to every caller until the next event.

        For those only who have not had it: whose own lists are older than ``view.rev``.
        """
        if view.rev != self.rev:
            before, self._members = self._members, self._first(view)
            self._gone = [user for user in before.values() if not _same(self._members.get(user.user_id), user)]
            self._joined = [user for user in self._members.values() if not _same(before.get(user.user_id), user)]
            self.rev = view.rev
            self._listed = None
        return self._gone, self._joined

    def _next(self, rev: int) -> None:
        self.rev = rev
        self._gone, self._joined = [], []

    def _first(self, view: View) -> dict[str, User]:
        members = sorted(view.users.values(), key=lambda user: (user.joined_at, user.session_id))
        return {user.user_id: user for user in (members[: self.limit] if self.limit else members)}


def _same(one: User | None, other: User) -> bool:
    return one is not None and one.session_id == other.session_id
