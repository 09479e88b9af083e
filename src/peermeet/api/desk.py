"""Where the admin's commands reach the running server: a Unix socket in the data folder.

Whoever may enter the folder (mode 0700) is the admin; nothing of this is on the network. A command
that wrote to the database by itself would be a second writer, which SQLite before 3.51.3 may not
have in WAL mode. One order a connection: a line of JSON there, a line of JSON back.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, TypeAdapter

from peermeet.hosting.blocks import BlockList
from peermeet.hosting.ports import Block, JournalTrouble
from peermeet.identity import HOME

LIMIT_S = 10.0
"""How long either side waits for the other."""
MAX_ORDER_BYTES = 8_192
MAX_APPEAL = 500
"""Characters."""
MAX_REVIEW_DAYS = 366
"""A review farther away than this is none."""


@dataclass(frozen=True)
class MakeBlock:
    """Block a link, or renew its block."""

    code: str
    review_on: date
    appeal: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_APPEAL)
    ]
    kind: Literal["block"] = "block"


@dataclass(frozen=True)
class EndBlock:
    code: str
    kind: Literal["unblock"] = "unblock"


@dataclass(frozen=True)
class ListBlocks:
    kind: Literal["blocks"] = "blocks"


Order = MakeBlock | EndBlock | ListBlocks


@dataclass(frozen=True)
class Told:
    """The answer to an order. refusal: why nothing was done, in words; else None.

    sent_away: how many people left by it. blocks: what is in force now.
    """

    refusal: str | None = None
    sent_away: int = 0
    blocks: Sequence[Block] = field(default_factory=list)


_orders: TypeAdapter[Order] = TypeAdapter(Annotated[Order, Field(discriminator="kind")])
_answers: TypeAdapter[Told] = TypeAdapter(Told)


def ask(data: Path, order: Order) -> Told:
    """Have the server that runs on this data folder carry out an order.

    Raises OSError when there is none, or it does not answer in LIMIT_S.
    """
    with _door(data) as path, socket.socket(socket.AF_UNIX) as line:
        line.settimeout(LIMIT_S)
        line.connect(path)
        line.sendall(_orders.dump_json(order) + b"\n")
        with line.makefile("rb") as answers:
            answer = answers.readline()
    if not answer:
        raise ConnectionResetError("the server did not answer")
    return _answers.validate_json(answer)


class Desk:
    """The server's side; use as `async with`."""

    def __init__(self, data: Path, blocks: BlockList) -> None:
        self._data = data
        self._blocks = blocks
        self._talks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Desk:
        with _door(self._data) as path:
            self._server = await asyncio.start_unix_server(self._serve, path, limit=MAX_ORDER_BYTES)
            os.chmod(path, 0o600)
        return self

    async def __aexit__(self, *failure: object) -> None:
        self._server.close()
        for talk in self._talks:
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = asyncio.current_task()
        assert talk is not None
        self._talks.add(talk)
        try:
            async with asyncio.timeout(LIMIT_S):
                told = await self._carry_out(await reader.readline())
                writer.write(_answers.dump_json(told) + b"\n")
                await writer.drain()
        except (TimeoutError, ConnectionError, ValueError):
            pass  # The command on the other side says that it got no answer.
        finally:
            self._talks.discard(talk)
            writer.close()

    async def _carry_out(self, line: bytes) -> Told:
        """Raises ValueError for what is no order."""
        order = _orders.validate_json(line)
        try:
            match order:
                case MakeBlock(code=code, review_on=review_on, appeal=appeal):
                    last = self._blocks.today + timedelta(days=MAX_REVIEW_DAYS)
                    if not self._blocks.today < review_on <= last:
                        return Told(f"The review must be after today and not after {last}.")
                    away = await self._blocks.block(HOME, code, review_on, appeal)
                    return Told(sent_away=away, blocks=self._blocks.all)
                case EndBlock(code=code):
                    if not await self._blocks.unblock(HOME, code):
                        return Told(f"{code} is not blocked.")
                case ListBlocks():
                    await self._blocks.read()
        except JournalTrouble:
            return Told("The database is away; nothing is sure. Try again.")
        return Told(blocks=self._blocks.all)


@contextmanager
def _door(data: Path) -> Iterator[str]:
    """The socket's address, short whatever the folder's: one may hold 107 bytes at most."""
    folder = os.open(data, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/admin.sock"
    finally:
        os.close(folder)
