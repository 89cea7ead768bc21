"""The binary dialect on ``/accesshub``: web SDKs from 3.0.0 (2.26 in its default mode too) and mini-program SDK 3.6.0 (``sdk-3x.md``)."""
