"""What two clouds' queues share: batches in parts, and the marks that messages travel with."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alien_iac.errors import Forbidden, Unavailable
from alien_iac.runtime.stores import payloads
from alien_iac.runtime.stores.batches import parts, send_parts
from alien_iac.runtime.work import Payload

MESSAGES = [Payload(text, is_json=False) for text in ("a", "bb", "ccc", "dddd", "e")]


@given(st.lists(st.text(max_size=6)), st.integers(1, 5), st.integers(1, 20))
def test_parts_hold_everything_in_its_order(texts: list[str], most: int, most_bytes: int) -> None:
    messages = [Payload(text, is_json=False) for text in texts]
    made = list(parts(messages, most=most, most_bytes=most_bytes))
    assert [message for part in made for message in part] == messages
    for part in made:
        assert 1 <= len(part) <= most
        assert len(part) == 1 or sum(len(message.text.encode()) for message in part) <= most_bytes


@pytest.mark.parametrize(("error", "status"), [(Forbidden, "rejected"), (Unavailable, "unknown")])
def test_a_later_part_that_fails_is_told_in_the_results(
    error: type[Forbidden] | type[Unavailable], status: str
) -> None:
    sent: list[Payload] = []

    def send(part: list[Payload]) -> None:
        if len(sent) == 2:
            sent.append(part[0])
            raise error("refused")
        sent.extend(part)

    results = send_parts(MESSAGES, send, most=2, most_bytes=100)
    assert [result.status for result in results] == ["sent", "sent", status, status, "sent"]


def test_a_first_part_that_fails_is_raised() -> None:
    def send(part: list[Payload]) -> None:
        raise Forbidden(f"{len(part)} refused")

    with pytest.raises(Forbidden, match="2 refused"):
        send_parts(MESSAGES, send, most=2, most_bytes=100)


@given(st.text(), st.booleans())
def test_text_that_is_marked_stays_text(text: str, is_json: bool) -> None:  # noqa: FBT001 - what hypothesis gives
    message = Payload(f'"{len(text)}"' if is_json else text, is_json)
    assert payloads.received(message.text.encode(), payloads.content_type(message)) == message
