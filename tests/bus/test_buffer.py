from salon.bus.buffer import BufferedSubscription
from salon.bus.interface import Message, MessagesLost


async def forget(_: BufferedSubscription) -> None:
    pass


def numbered(number: int) -> Message:
    return Message("stream.hallway", str(number).encode())


async def test_full_buffer_drops_the_past_and_says_so() -> None:
    subscription = BufferedSubscription("stream.>", limit=3, on_close=forget)

    for number in range(4):
        subscription.offer(numbered(number))

    assert [await anext(subscription), await anext(subscription)] == [MessagesLost(), numbered(3)]


async def test_buffer_at_its_limit_drops_nothing() -> None:
    subscription = BufferedSubscription("stream.>", limit=3, on_close=forget)

    for number in range(3):
        subscription.offer(numbered(number))

    assert [await anext(subscription) for _ in range(3)] == [numbered(0), numbered(1), numbered(2)]


async def test_losses_in_a_row_are_reported_once() -> None:
    subscription = BufferedSubscription("stream.>", on_close=forget)

    subscription.report_loss()
    subscription.report_loss()
    subscription.offer(numbered(1))

    assert [await anext(subscription), await anext(subscription)] == [MessagesLost(), numbered(1)]


async def test_finished_subscription_yields_what_it_holds_and_ends() -> None:
    subscription = BufferedSubscription("stream.>", on_close=forget)
    subscription.offer(numbered(1))

    subscription.finish()

    assert [item async for item in subscription] == [numbered(1)]
