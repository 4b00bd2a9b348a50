"""The Python peer of the HTTP benchmark: what somebody writes who uses FastAPI without us. The argument is the port."""

import sys

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel


class Echo(BaseModel):
    a: int
    b: str


app = FastAPI()


@app.post("/echo")
async def echo(body: Echo) -> Echo:
    return body


@app.get("/ping")
async def ping() -> str:
    return "pong"


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=False, log_level="warning")
