"""What the Python SDK sees as a client. Prints one JSON object; the test looks at it."""

import asyncio
import json
import os
import pathlib
import sys
import threading

import requests
import runpod
from runpod import AsyncioEndpoint
from runpod.http_client import AsyncClientSession

folder = pathlib.Path(sys.argv[1])
VALUE = {"a": [1, 2.5, None], "text": "ü\n"}
seen = {}
runpod.api_key = os.environ["RUNPOD_API_KEY"]


def say(value):
    return {"input": {"method": "say", "value": value}}


def hold(name):
    return {"input": {"method": "hold", "file": str(folder / name)}}


endpoint = runpod.Endpoint("interop")

job = endpoint.run(say(VALUE))
seen["run"] = {"output": job.output(timeout=60), "status": job.status()}
seen["run_sync"] = endpoint.run_sync(say(VALUE))

# Longer than the platform holds the request open: the SDK goes on asking for the status.
threading.Timer(1.5, (folder / "sync").touch).start()
seen["run_sync_polled"] = endpoint.run_sync(hold("sync"), timeout=60)

job = endpoint.run({"input": {"method": "fail", "message": "boom"}})
seen["failed"] = {"output": job.output(timeout=60), "status": job.status(), "raw": job._fetch_job()}

job = endpoint.run(hold("never"))
seen["cancel"] = {"answer": job.cancel(), "id": job.job_id, "status": job.status()}

job = runpod.Endpoint("counter").run({"input": {"to": 3}})
seen["stream"] = list(job.stream())

seen["health"] = endpoint.health()

idle = runpod.Endpoint("idle")
waiting = [idle.run(say(n)) for n in range(3)]
seen["queued"] = waiting[0].status()
seen["purge"] = idle.purge_queue()

for name, wrong in [
    ("unauthorized", lambda: runpod.Endpoint("interop", api_key="fake-wrong").run(say(1))),
    ("unknown_endpoint", lambda: runpod.Endpoint("nothing").run(say(1))),
    ("unknown_job", lambda: runpod.endpoint.Job("interop", "no-such-job", endpoint.rp_client).status()),
]:
    try:
        wrong()
        seen[name] = "accepted"
    except requests.HTTPError as error:
        seen[name] = [error.response.status_code, error.response.json()]
    except RuntimeError as error:
        seen[name] = str(error)


async def asynchronous():
    async with AsyncClientSession() as session:
        endpoint = AsyncioEndpoint("interop", session)
        job = await endpoint.run(say(VALUE)["input"])
        seen["async_run"] = {"output": await job.output(timeout=60), "status": await job.status()}
        job = await endpoint.run(hold("never")["input"])
        seen["async_cancel"] = await job.cancel()
        seen["async_health"] = await endpoint.health()
        job = await AsyncioEndpoint("counter", session).run({"to": 2})
        seen["async_stream"] = [chunk async for chunk in job.stream()]
        seen["async_purge"] = await AsyncioEndpoint("idle", session).purge_queue()


asyncio.run(asynchronous())
print(json.dumps(seen))
