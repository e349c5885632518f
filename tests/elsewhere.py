"""Processes of their own, forked from one that has loaded the libraries and done nothing else."""

from __future__ import annotations

import multiprocessing

ELSEWHERE = multiprocessing.get_context("forkserver")
ELSEWHERE.set_forkserver_preload(["serving.plan_store", "serving.trail.keeper", "targeting.plan_run"])
