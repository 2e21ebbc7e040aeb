"""The measurements, in the order in which a whole run takes them."""

from __future__ import annotations

from bench.measuring import deliveries, growth, parts, process, requests, searching, sockets
from bench.measuring.measurement import Measurement

MEASUREMENTS: tuple[Measurement, ...] = (
    *requests.MEASUREMENTS,
    *parts.MEASUREMENTS,
    *sockets.MEASUREMENTS,
    *deliveries.MEASUREMENTS,
    *growth.MEASUREMENTS,
    *process.MEASUREMENTS,
    # It adds messages to the account that the others are measured on.
    *searching.MEASUREMENTS,
)
