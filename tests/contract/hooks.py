"""What schemathesis can't guess: ids of datasets, runs and models that are there, and tables that can be learnt from.

CONTRACT_SEEDS (from run.ts) has the ids. What a hook changes was valid before and is afterwards.
"""

import base64
import functools
import json
import os
import re

import jsonschema_rs
import schemathesis

SEEDS = json.loads(os.environ["CONTRACT_SEEDS"])
KINDS = {"datasets": "datasets", "training-runs": "runs", "artifacts": "artifacts"}
TABLE = "width,height,label\n" + "\n".join(f"{row},{row % 7},{'wide' if row > 9 else 'narrow'}" for row in range(20))

CORRECTION = {"target": "label", "types": {"height": "number"}, "dayFirst": True, "leftOut": ["width"]}


def chosen(kind, sent):
    """One that is there, for every second one that is sent: the same each time."""
    number = sum(str(sent).encode())
    return SEEDS[kind][number % len(SEEDS[kind])] if number % 2 == 1 else None


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    if not path_parameters or len(str(path_parameters.get("id", ""))) != 36:
        return path_parameters
    kind = KINDS[context.operation.path.split("/")[4]]
    # What is removed would be missing for all others.
    there = None if context.operation.method.upper() == "DELETE" else chosen(kind, path_parameters["id"])
    return path_parameters if there is None else {**path_parameters, "id": there}


@schemathesis.hook
def before_call(context, case, kwargs):
    """What is put in after all other hooks.

    A pattern can't say which cursors decode to an id: those that are right by their form become one of a page; nor that ids
    of runs are there, differ and can be compared: every second list of them, and one that has an id twice, is of two that can. A run
    without a model has null for its id, which links that were inferred from runs put into a path: it is an id that isn't there.
    """
    if str((case.path_parameters or {}).get("id", "")) == "None":
        case.path_parameters["id"] = "00000000-0000-7000-8000-000000000000"
    cursor = str((case.query or {}).get("cursor", ""))
    if len(cursor) == 52 and cursor.startswith("djE6"):
        case.query["cursor"] = base64.urlsafe_b64encode(f"v1:{SEEDS['runs'][0]}".encode()).decode()
    ids = str((case.query or {}).get("ids", ""))
    if re.fullmatch(r"[0-9a-fA-F-]{36}(,[0-9a-fA-F-]{36}){1,9}", ids):
        listed = ids.lower().split(",")
        if chosen("runs", ids) or len(set(listed)) < len(listed):
            case.query["ids"] = ",".join(SEEDS["runs"][:2])


@functools.cache
def validator_of(operation):
    """What the document says of an operation's body in JSON."""
    schema = operation.definition.raw["requestBody"]["content"]["application/json"]["schema"]
    return jsonschema_rs.Draft202012Validator({**schema, "components": operation.schema.raw_schema["components"]})


@schemathesis.hook
def map_body(context, body):
    """What is sent to be refused stays as it is: without what is wrong with it, it would be accepted."""
    operation = context.operation.definition.raw.get("operationId")
    if not isinstance(body, dict):
        return body
    if operation in ("predict", "submitTrainingRun", "correctDataset") and not validator_of(context.operation).is_valid(body):
        return body
    if operation in ("uploadDataset", "inspectTable") and "file" in body and isinstance(body.get("target", ""), str):
        content = getattr(body["file"], "data", body["file"])
        if isinstance(content, bytes) and len(content) % 2 == 0:
            return {**body, "file": TABLE.encode(), "target": "label"}
    if operation == "correctDataset":
        # No column is called as what is guessed; one that is always told anew would make a version of each.
        return {**body, **{field: value for field, value in CORRECTION.items() if field in body}}
    if operation == "predict" and isinstance(body.get("rows"), list) and len(body["rows"]) % 2 == 1:
        return {**body, "rows": [{"width": 3, "height": 4, "label": "wide"} for _ in body["rows"]]}
    if operation == "submitTrainingRun" and (there := chosen("datasets", body.get("datasetId", ""))):
        return {**{name: value for name, value in body.items() if name not in ("features", "target", "task")}, "datasetId": there}
    return body
