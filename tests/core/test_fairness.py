"""Nobody who wants to speak is kept from it, whatever the others do."""

from __future__ import annotations

import random
from typing import Any

import pytest

from peermeet.core import messages as m
from peermeet.core.floor import line
from peermeet.core.messages import Refused
from peermeet.core.model import CrossTalk, Mode, Order, Pass, Phase, Timeout
from tests.kit import START, Meeting

OTHERS = ("ben", "cleo", "dev", "eve")
TURNS = 4 * len(OTHERS)
"""Turns of others that may come before one's own: theirs, the rest of a turn they could not end,
and an answer to each."""

WAYS = [(Mode.ROUND, order) for order in Order] + [
    (Mode.QUEUE, Order.HAND),
    (Mode.QUEUE, Order.QUIET_FIRST),
    (Mode.READ, Order.LIST),
]


def meddle(meeting: Meeting, chance: random.Random) -> None:
    """Somebody else does whatever they may to be heard first, or to be a nuisance."""
    name = chance.choice(OTHERS)
    person, turn = meeting.people[name], meeting.circle.turns_given
    other = meeting.people[chance.choice(OTHERS)].seat
    commands: list[Any] = [
        m.RaiseHand(),
        m.RaiseHand(),
        m.LowerHand(),
        m.StepOut(),
        m.StepIn(),
        m.StepIn(),
        m.SetMic(True),
        m.ListenOnly(chance.random() < 0.5),
        m.PassTurn(turn),
        m.Later(turn),
        m.PassToAnyone(turn),
        m.NameNext(turn, other),
        m.WelcomeResponses(turn, True),
        m.BeginTurn(turn),
        "drops",
        "returns",
    ]
    command = chance.choice(commands)
    if command == "drops":
        person.drops()
    elif command == "returns":
        person.returns()
    else:
        try:
            meeting.decide(person.seat, command)
        except Refused:
            pass


def turns_before_ana(meeting: Meeting, chance: random.Random) -> int:
    """How many turns others have until Ana's, while Fay presses *next* when it is time."""
    before = meeting.circle.turns_given
    for _ in range(400):
        if meeting.holder == "ana":
            return meeting.circle.turns_given - before - 1
        if meeting.circle.phase.mode is Mode.QUEUE:
            meeting.ana.does(m.RaiseHand)
        for _ in range(chance.randint(0, 6)):
            if meeting.holder != "ana":
                meddle(meeting, chance)
        meeting.at(s=(meeting.now - START) / 1000 + chance.choice((1, 20, 31)))
        if meeting.holder != "ana" and chance.random() < 0.7:
            try:
                meeting.fay.does(m.NextTurn)
            except Refused:
                pass
    raise AssertionError("Ana never had the floor")


@pytest.mark.parametrize("way", WAYS, ids=lambda way: f"{way[0]}, {way[1]}")
def test_whoever_waits_or_keeps_a_hand_up_has_the_floor_before_long(
    way: tuple[Mode, Order],
) -> None:
    mode, order = way
    for seed in range(40):
        chance = random.Random(seed)
        meeting = Meeting("fay*", *OTHERS, "ana", seed=seed)
        passes = tuple(p for p in Pass if chance.random() < 0.5)
        invited = mode is not Mode.QUEUE and chance.random() < 0.5
        meeting.sheet(
            Phase(
                mode,
                turn_ms=60_000,
                order=order,
                passes=passes,
                timeout=chance.choice(list(Timeout)),
                crosstalk=CrossTalk.INVITED if invited else CrossTalk.NONE,
                lines=60 if mode is Mode.READ else 0,
            )
        )
        spoken = mode is Mode.QUEUE and chance.random() < 0.5
        if spoken:
            meeting.ana.does(m.RaiseHand)
            meeting.ana.speaks()
            meeting.ana.does(m.PassTurn)
        assert turns_before_ana(meeting, chance) <= TURNS, f"seed {seed}"


def test_two_who_step_out_of_their_turns_in_turn_keep_nobody_waiting() -> None:
    meeting = Meeting("fay*", "ana", "ben", "cleo")
    meeting.sheet(Phase(Mode.QUEUE, turn_ms=60_000, passes=()))
    for name in ("ben", "cleo", "ana"):
        meeting.people[name].does(m.RaiseHand)
    for name in ("ben", "cleo", "ben"):
        assert meeting.holder == name
        meeting.people[name].does(m.StepOut)
        meeting.people[name].does(m.StepIn)
        meeting.people[name].does(m.RaiseHand)
    assert meeting.holder == "cleo"
    meeting.cleo.does(m.StepOut)
    assert meeting.holder == "ana"


def test_passing_in_silence_again_and_again_keeps_nobody_out() -> None:
    meeting = Meeting("fay*", "ana", "ben")
    meeting.sheet(Phase(Mode.QUEUE, order=Order.QUIET_FIRST, passes=()))
    meeting.ana.does(m.RaiseHand)
    meeting.ana.speaks()
    meeting.ana.does(m.PassTurn)
    meeting.ben.does(m.RaiseHand)
    meeting.ana.does(m.RaiseHand)
    meeting.ben.does(m.RaiseHand)
    meeting.ben.does(m.PassTurn)
    assert meeting.holder == "ana", "Ben never spoke, but he had the floor"


def test_a_hand_raised_again_comes_after_those_who_had_no_turn() -> None:
    meeting = Meeting("fay*", "ana", "ben", "cleo")
    meeting.sheet(Phase(Mode.ROUND, turn_ms=60_000, order=Order.HAND))
    for name in ("ben", "cleo"):
        meeting.people[name].does(m.RaiseHand)
    meeting.ben.does(m.StepOut)
    meeting.ben.does(m.StepIn)
    for name in ("ben", "ana"):
        meeting.people[name].does(m.RaiseHand)
    meeting.cleo.does(m.PassTurn)
    assert meeting.holder == "ana"


def test_in_a_round_by_hands_a_first_turn_comes_before_a_second() -> None:
    meeting = Meeting("fay*", "ana", "ben", "cleo")
    meeting.sheet(Phase(Mode.ROUND, turn_ms=60_000, order=Order.HAND))
    for name in ("ben", "cleo"):
        meeting.people[name].does(m.RaiseHand)
    meeting.ben.does(m.StepOut)
    meeting.ben.does(m.StepIn)
    meeting.ben.does(m.RaiseHand)
    assert meeting.holder == "cleo"
    meeting.fay.does(m.NextTurn)
    assert meeting.holder == "ben", "nobody else has raised a hand"
    meeting.ben.does(m.StepOut)
    meeting.ben.does(m.StepIn)
    meeting.fay.does(m.NextTurn)
    assert meeting.holder == "fay"
    assert [meeting.name(p.seat) for p in line(meeting.circle)] == ["ana", "ben"]
