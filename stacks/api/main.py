"""The API: what the customer's own people use. It searches, and asks the worker to look at a document again."""

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from alien_iac.runtime import container, kv, queue, serve

index = container("index")
jobs = queue("jobs")
seen = kv("seen")


async def search(request: Request) -> Response:
    async with httpx.AsyncClient(base_url=index.url, timeout=5) as client:
        answer = await client.get("/search", params={"words": request.query_params.get("words", "")})
    return Response(answer.content, answer.status_code, media_type="application/json")


async def look_again(request: Request) -> Response:
    await jobs.send({"path": (await request.json())["path"]})
    return Response(status_code=202)


async def last_schedule(_request: Request) -> Response:
    entry = await seen.get("last-schedule")
    return JSONResponse({"at": entry.value.decode() if entry else None})


async def healthy(_request: Request) -> Response:
    return JSONResponse({"status": "ok"})


if __name__ == "__main__":
    serve(
        Starlette(
            routes=[
                Route("/search", search),
                Route("/jobs", look_again, methods=["POST"]),
                Route("/last-schedule", last_schedule),
                Route("/health", healthy),
            ]
        )
    )
