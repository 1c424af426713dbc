"""The web front: takes orders, and shows what was sold."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from alien_iac.runtime import kv, queue, serve

orders = queue("orders")
state = kv("state")


async def order(request: Request) -> Response:
    await orders.send(await request.json())
    return Response(status_code=202)


async def sold(request: Request) -> Response:
    entry = await state.get(f"sold:{request.path_params['item']}")
    return JSONResponse({"sold": int(entry.value) if entry else 0})


async def healthy(_request: Request) -> Response:
    return JSONResponse({"status": "ok"})


if __name__ == "__main__":
    routes = [Route("/orders", order, methods=["POST"]), Route("/sold/{item}", sold), Route("/health", healthy)]
    serve(Starlette(routes=routes))
