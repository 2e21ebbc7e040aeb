from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from harness import Given, Person, World
from msgspec.structs import replace
from wires import served

from criachat.auth import operations as auth
from criachat.users import access as users

Scoped = Callable[..., Awaitable[Person]]


@pytest.fixture(scope="session")
async def address(world: World) -> AsyncIterator[str]:
    """Where the application of the tests answers behind a real socket, for streams."""
    async with served(world.parts.http) as address:
        yield address


@pytest.fixture
def scoped(given: Given) -> Scoped:
    """Give a person a token that may do no more than this."""

    async def scoped(person: Person, *scopes: str) -> Person:
        async with given.world.parts.database.transaction() as tx:
            user = await users.find_user_by_email(tx, person.email)
            assert user is not None
            token = await auth.create_user_token(tx, given.world.keyring, user, scopes=scopes)
        return replace(person, token=token)

    return scoped
