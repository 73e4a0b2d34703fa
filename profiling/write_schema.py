"""Writes ``results.schema.json`` anew: ``python -m anyir.profiling.write_schema``."""

from anyir.profiling.schema import SCHEMA_FILE, json_schema

if __name__ == "__main__":
    SCHEMA_FILE.write_text(json_schema())
