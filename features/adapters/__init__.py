"""One file per real export: bytes -> the registers of `features.contracts`."""
