"""Registers as files: CSV, XLSX and NDJSON, and the profiles that say what a body's own files mean."""
