"""Which secret a group has, told by a value that says nothing about it."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncEngine

from peermeet.storage.checks import SqlChecks

ONE, TWO, THREE = "a" * 22, "b" * 22, "c" * 22


async def test_a_group_has_the_check_that_was_put_last(engine: AsyncEngine) -> None:
    checks = SqlChecks(engine)
    assert await checks.find("home") is None
    assert await checks.replace("home", None, ONE)
    assert await checks.replace("home", ONE, TWO)
    assert await checks.find("home") == TWO
    assert await checks.find("other") is None


async def test_of_two_who_make_a_secret_the_second_is_told(engine: AsyncEngine) -> None:
    checks = SqlChecks(engine)
    assert await checks.replace("home", None, ONE)
    assert not await checks.replace("home", None, TWO)
    assert not await checks.replace("home", TWO, THREE)
    assert not await checks.replace("other", ONE, TWO)
    assert await checks.find("home") == ONE
