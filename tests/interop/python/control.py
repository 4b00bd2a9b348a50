"""What the Python SDK does with the control plane: it makes an endpoint by GraphQL, and calls it. Prints one JSON object."""

import json
import os
import sys

import runpod

program = sys.argv[1]
runpod.api_key = os.environ["RUNPOD_API_KEY"]
seen = {}


def template(name, **more):
    return runpod.create_template(
        name=name,
        image_name=f"file://{program}",
        env={"FLASH_RESOURCE_NAME": "interop", **more},
        is_serverless=True,
    )


first = template("python-template")
seen["template"] = first
made = runpod.create_endpoint(
    name="python-endpoint", template_id=first["id"], gpu_ids="AMPERE_16", workers_min=1, workers_max=2
)
seen["made"] = made

endpoint = runpod.Endpoint(made["id"])
seen["output"] = endpoint.run_sync({"input": {"method": "say", "value": [1, "two"]}}, timeout=60)

second = template("python-template-2", SETTING="2")
seen["changed"] = runpod.update_endpoint_template(made["id"], second["id"])
seen["second"] = second["id"]
seen["endpoints"] = runpod.get_endpoints()
seen["gpus"] = runpod.get_gpus()
seen["gpu"] = runpod.get_gpu(seen["gpus"][0]["id"])

for name, wrong in [
    ("no_such_template", lambda: runpod.create_endpoint(name="x", template_id="no-such-template")),
    ("same_name", lambda: template("python-template")),
]:
    try:
        seen[name] = ["answered", wrong()]
    except runpod.error.QueryError as error:
        seen[name] = ["refused", str(error)]

runpod.api_key = "fake-wrong"
try:
    seen["unauthorized"] = ["answered", runpod.get_gpus()]
except runpod.error.AuthenticationError as error:
    seen["unauthorized"] = ["refused", str(error)]

print(json.dumps(seen))
