"""The worker: counts orders, and writes a report every Monday at three in the morning."""

from pydantic import BaseModel

from alien_iac.runtime import command, kv, on_message, on_schedule, storage

reports = storage("reports")
state = kv("state")


class Order(BaseModel):
    """What the web front puts on the queue. A message of another shape is refused, and ends as a dead letter."""

    item: str
    pieces: int = 1


@on_message("orders")
async def count(order: Order) -> None:
    entry = await state.get(f"sold:{order.item}")
    sold = int(entry.value) if entry else 0
    await state.put(f"sold:{order.item}", str(sold + order.pieces).encode())


@on_schedule("0 3 * * 1")
async def weekly() -> None:
    await reports.put("week.txt", (await report()).encode())


@command("report")
async def report() -> str:
    """What was sold, one line an item."""
    page = await state.scan("sold:")
    return "\n".join(f"{item.key.removeprefix('sold:')} {item.value.decode()}" for item in page.items)
