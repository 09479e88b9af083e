"""An event loop without a world: time jumps to whatever is due, and chance says who goes first.

It opens no socket and waits for nothing. The same chance gives the same run, callback by callback.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context
from random import Random
from typing import Any, TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
MOST_STEPS = 100_000


class Stuck(AssertionError):
    """Nobody will ever wake, or nobody ever comes to rest."""


class OrderedTask(asyncio.Task[T]):
    """A task whose place in a set is the same in every run: sets of tasks are gone through."""

    def __init__(self, work: Coroutine[Any, Any, T], loop: VirtualLoop, name: str | None) -> None:
        loop.tasks_made += 1
        self._number = loop.tasks_made
        super().__init__(work, loop=loop, name=name or f"task {self._number}")

    def __hash__(self) -> int:
        return self._number


class VirtualLoop(asyncio.BaseEventLoop):
    """Runs one coroutine and what it starts, on a clock of its own that begins at 0.

    fair: callbacks run in the order in which asyncio would run them; else in any order.
    """

    def __init__(self, chance: Random, fair: bool) -> None:
        super().__init__()
        self.faults: list[str] = []
        """What nobody caught: an exception in a callback, or one that nobody asked for."""
        self.tasks_made = 0
        self._chance = chance
        self._fair = fair
        self._time_s = 0.0
        self._soon: list[asyncio.Handle] = []
        self._later: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._timers_made = 0

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """The result of `main`. Raises Stuck, and whatever `main` raises."""
        task = self.create_task(main)
        asyncio._set_running_loop(self)
        try:
            self._step_until_done({task})
            return task.result()
        except BaseException:
            left = asyncio.all_tasks(self)
            for each in left:
                each.cancel()
            self._step_until_done(left)
            raise
        finally:
            asyncio._set_running_loop(None)

    def create_task(
        self,
        coro: Coroutine[Any, Any, T] | Generator[Any, None, T],
        *,
        name: object = None,
        context: Context | None = None,
    ) -> asyncio.Task[T]:
        assert context is None and isinstance(coro, Coroutine)
        return OrderedTask(coro, self, None if name is None else str(name))

    def time(self) -> float:
        return self._time_s

    def call_soon(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._soon.append(handle)
        return handle

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        self._timers_made += 1
        heapq.heappush(self._later, (when, self._timers_made, handle))
        return handle

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        self.faults.append(f"{context.get('message')}: {context.get('exception')!r}")

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """It is passed over when its time comes."""

    def _step_until_done(self, tasks: set[asyncio.Task[Any]]) -> None:
        for _ in range(MOST_STEPS):
            if all(task.done() for task in tasks):
                return
            self._step()
        raise Stuck(f"still busy after {MOST_STEPS} steps")

    def _step(self) -> None:
        if not self._soon:
            self._jump()
        while self._later and self._later[0][0] <= self._time_s:
            self._soon.append(heapq.heappop(self._later)[2])
        count = len(self._soon)
        index = 0 if self._fair or count == 1 else int(self._chance.random() * count)
        handle = self._soon.pop(index)
        if not handle.cancelled():
            handle._run()

    def _jump(self) -> None:
        while self._later and self._later[0][2].cancelled():
            heapq.heappop(self._later)
        if not self._later:
            raise Stuck("nobody will ever wake")
        self._time_s = max(self._time_s, self._later[0][0])
