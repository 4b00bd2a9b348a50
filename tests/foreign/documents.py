"""Checks JSON documents against schemas: `python documents.py SCHEMAS < documents`, with `[[NAME, DOCUMENT], …]` on standard input.

A key that the schema does not know is an error here, though readers have to put up with it: what is printed is to be described.
"""

import json
import pathlib
import sys

from jsonschema import Draft202012Validator


def closed(schema):
    """The schema with every described object allowing what is described alone."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    schema = {key: closed(value) for key, value in schema.items()}
    if "properties" in schema and schema.get("type") == "object":
        schema.setdefault("additionalProperties", False)
    return schema


folder = pathlib.Path(sys.argv[1])
problems = []
for name, document in json.load(sys.stdin):
    schema = json.loads((folder / f"{name}.schema.json").read_text())
    for error in Draft202012Validator(closed(schema)).iter_errors(document):
        problems.append(f"{name}: {error.json_path}: {error.message}")
print("\n".join(problems))
sys.exit(bool(problems))
