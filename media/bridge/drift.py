"""How much faster or slower sound has to be played so that the delay stays what it should be.

The clocks of the client's sound card and of this node differ by up to some hundred parts per million, and the delay that the network needs
changes. Both show as the distance of the buffered delay from the wanted one. The correction is proportional to it: at 100 ppm for each
millisecond it vanishes with a time constant of ten seconds, and clocks that are 300 ppm apart leave 3 ms of it. It changes in small
steps, and half a percent at most: less than a tenth of a semitone.
"""

from __future__ import annotations

PPM_PER_MS = 100.0
MAX_PPM = 5_000.0
MAX_STEP_PPM = 25.0
"""For each update, of which there are 47 in a second."""
_SMOOTHING = 1 / 32
"""Share of a new reading in the mean: some 0.7 s, longer than the 20 ms steps in which packets come and leave."""


class DriftControl:
    """See the module."""

    def __init__(self) -> None:
        self._distance_ms = 0.0
        self.ppm = 0.0
        """Positive: the sound is played faster, so that less of it is buffered."""

    def update(self, distance_ms: float) -> float:
        """``distance_ms``: buffered minus wanted delay. Returns ``ppm``."""
        self._distance_ms += (distance_ms - self._distance_ms) * _SMOOTHING
        wanted = max(-MAX_PPM, min(MAX_PPM, PPM_PER_MS * self._distance_ms))
        self.ppm += max(-MAX_STEP_PPM, min(MAX_STEP_PPM, wanted - self.ppm))
        return self.ppm

    def reset(self) -> None:
        """The delay has been set anew; what the clocks differ by is kept."""
        self._distance_ms = self.ppm / PPM_PER_MS
