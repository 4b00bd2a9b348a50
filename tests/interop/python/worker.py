"""The worker of the Python SDK with the functions of `tests/src/interop.rs`."""

import asyncio
import os
import pathlib

import runpod


async def wait_for(file):
    while not pathlib.Path(file).exists():
        await asyncio.sleep(0.01)


async def handler(job):
    arguments = dict(job["input"])
    method = arguments.pop("method")
    if method == "say":
        return arguments["value"]
    if method == "fail":
        raise ValueError(arguments["message"])
    if method == "advance":
        runpod.serverless.progress_update(job, arguments["progress"])
        await wait_for(arguments["file"])
        return "done"
    if method == "hold":
        try:
            await wait_for(arguments["file"])
            return "held"
        except asyncio.CancelledError:
            print("stopped", job["id"], flush=True)
            raise
    if method == "renew":
        return {"pid": os.getpid(), "refresh_worker": True}
    raise KeyError(method)


async def count(job):
    for number in range(job["input"]["to"]):
        yield {"n": number}
    if job["input"].get("then_fail"):
        raise ValueError("no further")


slots = int(os.environ.get("SLOTS", "1"))
runpod.serverless.start(
    {
        "handler": count if os.environ.get("STREAM") else handler,
        "concurrency_modifier": lambda _: slots,
        "return_aggregate_stream": os.environ.get("STREAM") == "aggregate",
    }
)
