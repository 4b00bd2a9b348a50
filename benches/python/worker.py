"""The peer of the queue benchmark: the platform's own worker with a handler that does nothing.

Its take loop sleeps a second whenever its slots are full, so it takes one batch of jobs per second, whatever they cost.
"""

import sys

import runpod

SLOTS = int(sys.argv.pop())


async def handler(job):
    return job["input"]


runpod.serverless.start({"handler": handler, "concurrency_modifier": lambda _: SLOTS})
