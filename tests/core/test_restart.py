"""What a server that died finds again, and what it must not find."""

# mypy: no-warn-unreachable, no-strict-equality
# A story looks at one circle again and again; mypy takes the first look for the truth.

from __future__ import annotations

from peermeet.core import messages as m
from peermeet.core.evolve import evolve, without_private
from peermeet.core.messages import JournalEvent
from peermeet.core.model import Card, Circle, Millis, Mode, Phase, Topic
from peermeet.core.project import gates
from tests.kit import START, Meeting


def found_again(meeting: Meeting) -> Circle:
    """The circle as the journal has it, before anybody has come back."""
    circle = Circle(at=START)
    for at, event in meeting.log:
        if isinstance(event, JournalEvent):
            circle = evolve(circle, event, at)
    return circle


def open_gates(meeting: Meeting) -> dict[str, tuple[bool, bool]]:
    """Who is heard and seen by whom the journal thinks they are with."""
    found = gates(found_again(meeting))
    return {meeting.name(s): (g.audio, g.video) for s, g in found.items() if g.audio or g.video}


def visible(*names: str) -> Meeting:
    meeting = Meeting("fay*", *names)
    for person in meeting.people.values():
        person.speaks()
        person.does(m.SetCamera, on=True)
    return meeting


def test_what_is_said_in_a_quiet_word_is_not_heard_in_the_circle_after_a_crash() -> None:
    meeting = visible("ana", "ben")
    meeting.ana.does(m.OfferQuiet)
    meeting.fay.does(m.AcceptQuiet, seat="ana")
    assert meeting.heard == meeting.seen == {"ben"}, "both arrive muted and unseen"
    for person in (meeting.ana, meeting.fay):
        person.speaks()
        person.does(m.SetCamera, on=True)
    assert open_gates(meeting) == {"ben": (True, True)}


def test_who_stepped_out_is_not_heard_or_seen_after_a_crash() -> None:
    meeting = visible("ana", "ben")
    meeting.ana.does(m.StepOut)
    assert open_gates(meeting) == {"fay": (True, True), "ben": (True, True)}
    meeting.ana.does(m.StepIn)
    assert meeting.heard == meeting.seen == {"fay", "ben"}, "nor after stepping in"


def test_who_comes_out_of_a_quiet_word_is_not_seen_before_they_want_to_be() -> None:
    for leaves in ("ana", "fay"):
        meeting = visible("ana", "ben")
        meeting.ana.does(m.OfferQuiet)
        meeting.fay.does(m.AcceptQuiet, seat="ana")
        for person in (meeting.ana, meeting.fay):
            person.speaks()
            person.does(m.SetCamera, on=True)
        assert meeting.heard == meeting.seen == {"ana", "fay", "ben"}
        meeting.people[leaves].does(m.LeaveSpace)
        assert meeting.heard == meeting.seen == {"ben"}


def test_nothing_private_outlives_the_server() -> None:
    meeting = visible("ana", "ben", "cleo")
    meeting.ana.does(m.OfferQuiet)
    meeting.fay.does(m.AcceptQuiet, seat="ana")
    meeting.cleo.does(m.OfferQuiet)
    meeting.fay.does(m.ShowCard, card=Card.ADVICE)
    meeting.fay.does(m.ShowCard, card=Card.ADVICE, seat="ben")
    meeting.ben.does(m.NoteContent, topic=Topic.DEATH)
    meeting.ben.does(m.AskPause)
    meeting.cleo.does(m.StepOut)
    assert meeting.circle != without_private(meeting.circle)
    meeting.restarts(alive_until_s=5, back_at_s=10)
    assert meeting.circle == without_private(meeting.circle)
    for person in meeting.people.values():
        person.returns()
        view = person.view
        assert not (view.card or view.your_card or view.note or view.stepped_out)
        assert not (view.pause_asked or view.quiet.with_you or view.quiet.asked)
        assert view.quiet.asked_by == ()
    assert meeting.space("ana") == {"fay", "ana", "ben", "cleo"}


def test_a_voice_goes_on_while_the_server_is_away() -> None:
    meeting = visible("ana").restarts(alive_until_s=5, back_at_s=6)
    assert meeting.heard == {"fay", "ana"}
    assert not any(seat.present for seat in meeting.circle.seats.values())


def test_who_comes_back_with_a_living_connection_speaks_on() -> None:
    meeting = visible("ana", "ben").restarts(alive_until_s=5, back_at_s=6)
    meeting.ana.returns(connected=True)
    meeting.ben.returns()
    assert meeting.heard == meeting.seen == {"fay", "ana"}, "Ben's page is a new one"


def test_a_living_connection_opens_nothing_that_was_off_or_is_no_longer_permitted() -> None:
    meeting = Meeting("fay*", "ana", "ben").round(first="ana")
    meeting.ana.speaks()
    meeting.restarts(alive_until_s=5, back_at_s=6)
    meeting.ben.returns(connected=True)
    meeting.fay.returns(connected=True)
    assert meeting.heard == {"ana"}
    meeting.fay.does(m.NextTurn, turn=1)
    meeting.ana.returns(connected=True)
    assert meeting.holder == "ben" and meeting.heard == set()


def test_what_was_on_in_a_quiet_word_is_not_on_in_the_circle_after_a_crash() -> None:
    meeting = visible("ana", "ben")
    meeting.ana.does(m.OfferQuiet)
    meeting.fay.does(m.AcceptQuiet, seat="ana")
    meeting.ana.speaks()
    meeting.ana.does(m.SetCamera, on=True)
    meeting.circle = found_again(meeting)
    meeting.restarts(alive_until_s=5, back_at_s=6)
    meeting.ana.returns(connected=True)
    assert meeting.heard == meeting.seen == {"ben"}


def test_an_outage_is_nobodys_time() -> None:
    pairs = Phase(Mode.PAIRS, turn_ms=60_000, warm_up_ms=30_000, pause_ms=10_000)
    meeting = Meeting("fay*", "ana", "ben").sheet(pairs)
    meeting.at(s=10).restarts(alive_until_s=20, back_at_s=300)
    meeting.ana.returns()
    assert meeting.ana.view.pair and meeting.ana.view.pair.remaining_ms == 10_000


def test_a_pair_of_which_nobody_is_there_stands_still() -> None:
    pairs = Phase(Mode.PAIRS, turn_ms=60_000, warm_up_ms=30_000)
    meeting = Meeting("fay*", "ana", "ben").sheet(pairs)
    meeting.at(s=10).ana.drops()
    meeting.at(s=15).ben.drops()
    meeting.at(s=200).ben.returns()
    assert meeting.ben.view.pair and meeting.ben.view.pair.remaining_ms == 15_000


def test_a_heartbeat_before_the_last_event_gives_nobody_more_time() -> None:
    meeting = Meeting("fay*", "ana").round(turn_s=60, first="ana").at(s=20)
    meeting.ana.does(m.RaiseHand)
    meeting.restarts(alive_until_s=15, back_at_s=100)
    assert meeting.left_s == 40


def test_a_clock_that_goes_wrong_takes_nothing() -> None:
    meeting = Meeting("fay*", "ana").round(turn_s=60, first="ana").at(s=20)
    meeting.now = Millis(START + 30_000)
    meeting.host(m.Recover(Millis(START + 500_000)))
    assert meeting.left_s == 30


def test_a_phases_time_stands_still_until_somebody_is_back() -> None:
    meeting = Meeting("fay*", "ana").phase(Mode.TALK, length_ms=60_000)
    meeting.at(s=10).restarts(alive_until_s=20, back_at_s=300)
    meeting.at(s=400).ana.returns()
    assert meeting.ana.view.phase.remaining_ms == 40_000


def test_whoever_does_not_come_back_is_missed_from_when_the_server_was_back() -> None:
    meeting = Meeting("fay*", "ana").restarts(alive_until_s=0, back_at_s=300)
    meeting.fay.returns()
    assert len(meeting.at(s=300 + 899).circle.seats) == 2
    assert len(meeting.at(s=300 + 900).circle.seats) == 1


def test_who_was_away_before_is_missed_from_then() -> None:
    meeting = Meeting("fay*", "ana").at(s=100)
    meeting.ana.drops()
    meeting.restarts(alive_until_s=100, back_at_s=300)
    meeting.fay.returns()
    assert len(meeting.at(s=1000).circle.seats) == 1
