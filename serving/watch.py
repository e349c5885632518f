"""What can be read of the running service: measures for Prometheus, and a log of JSON lines; no person is in either."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, TextIO

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from pythonjsonlogger.json import JsonFormatter

if TYPE_CHECKING:
    from serving.champion import Champion

SECONDS = (0.002, 0.005, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 1000)


class Watch:
    """The measures of one service; each has a registry of its own, so that two can live in one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Histogram(
            "tepat_request_seconds", "Time to answer, by route, method and status. [s]",
            ("route", "method", "status"), buckets=SECONDS, registry=self.registry,
        )  # fmt: skip
        self.waiting = Gauge("tepat_households_waiting", "Households that wait to be scored.", registry=self.registry)
        self.scored = Counter("tepat_households_scored", "Households scored.", registry=self.registry)
        self.batch = Histogram(
            "tepat_batch_households", "Households scored at once.", buckets=SIZES, registry=self.registry
        )
        self.scorers = Gauge("tepat_scorers", "Processes that score.", registry=self.registry)
        self.scorer_restarts = Counter(
            "tepat_scorer_restarts", "Scorers that took the place of one that ended.", registry=self.registry
        )
        self.model = Gauge("tepat_model", "1 for the model in use.", ("stamp", "version"), registry=self.registry)
        self.trail_lines = Counter("tepat_trail_lines", "Lines written into the trail.", registry=self.registry)
        self.trail_spooled = Gauge(
            "tepat_trail_spooled", "Lines that wait beside the store to come into the trail.", registry=self.registry
        )
        self.stale = Gauge(
            "tepat_model_stale", "1 when the registry's champion is not the one in use.", registry=self.registry
        )
        self.jobs = Gauge("tepat_jobs", "Jobs by state.", ("state",), registry=self.registry)

    def tell_model(self, champion: Champion) -> None:
        """Say which model is in use, and whether it is the registry's champion."""
        self.model.clear()
        if champion.current:
            self.model.labels(champion.current.where.stamp, champion.current.where.version).set(1)
        self.stale.set(champion.stale_because is not None)


def log_to(stream: TextIO) -> None:
    """Write the service's log as one JSON object a line."""
    handler = logging.StreamHandler(stream)
    form = "%(asctime)s %(levelname)s %(name)s %(message)s"
    handler.setFormatter(JsonFormatter(form, rename_fields={"asctime": "time", "levelname": "level"}))
    for name in ("tepat", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(logging.INFO)
