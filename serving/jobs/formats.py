"""The kinds of file that a job reads and gives."""

from __future__ import annotations

CSV, PARQUET = "text/csv", "application/vnd.apache.parquet"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
KINDS = {CSV: "csv", PARQUET: "parquet", XLSX: "xlsx"}
MEDIA_TYPES = {kind: media_type for media_type, kind in KINDS.items()}
