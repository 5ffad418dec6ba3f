"""One Salon and a few browsers for all journeys; each journey has rooms and windows of its own."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import async_playwright, expect

from tests.e2e.browsers import Browsers
from tests.e2e.cable import Cable
from tests.e2e.people import Person, sign_up
from tests.e2e.server import Server
from tests.e2e.sound import Saying, synthesise
from tests.e2e.visits import Visit

expect.set_options(timeout=10_000)  # two cores carry a server, three browsers, and whatever else the machine does
Visiting = Callable[..., Awaitable[Visit]]


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with Server() as server:
        yield server


@pytest.fixture(scope="session")
def sayings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Saying]:
    """What is in each person's microphone."""
    folder: Path = tmp_path_factory.mktemp("microphones")
    words = {"alice": "one two three four five six seven eight nine ten", "bob": "ten nine eight seven six five four three two one"}
    return {handle: synthesise(text, folder / f"{handle}.wav") for handle, text in words.items()}


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def people(server: Server) -> dict[str, Person]:
    """alice hosts, bob comes to listen and perhaps to speak, carol is a stranger."""
    signed_up = await asyncio.gather(*(sign_up(server.origin, handle) for handle in ("alice", "bob", "carol")))
    return {person.handle: person for person in signed_up}


@pytest.fixture(scope="session")
def alice(people: dict[str, Person]) -> Person:
    return people["alice"]


@pytest.fixture(scope="session")
def bob(people: dict[str, Person]) -> Person:
    return people["bob"]


@pytest.fixture(scope="session")
def carol(people: dict[str, Person]) -> Person:
    return people["carol"]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def crowd(server: Server) -> list[Person]:
    """Three more, who come without windows."""
    return [await sign_up(server.origin, handle) for handle in ("gaston", "hanna", "ivan")]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browsers() -> AsyncIterator[Browsers]:
    async with async_playwright() as playwright, Browsers(playwright) as browsers:
        yield browsers


@pytest_asyncio.fixture(loop_scope="session")
async def visiting(server: Server, browsers: Browsers, sayings: dict[str, Saying]) -> AsyncIterator[Visiting]:
    """Opens a window for a person (None: a visitor), closed after the test.

    microphone: has one, which says the person's own words.
    cable: goes through it instead of straight to the server. Further options are those of a browser context.
    """
    async with AsyncExitStack() as windows:

        async def visit(person: Person | None = None, *, microphone: bool = True, cable: Cable | None = None, **options: object) -> Visit:
            saying = sayings.get(person.handle) if person and microphone else None
            context = await browsers.context(saying, **options)
            windows.push_async_callback(context.close)
            if cable:
                await cable.lay(context)
            return await Visit.begin(context, cable.origin if cable else server.origin, person)

        yield visit
