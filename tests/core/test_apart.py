"""Quiet words for two, stepping out, cards, notes, and the wish for a pause."""

# mypy: no-warn-unreachable, no-strict-equality
# A story looks at one circle again and again; mypy takes the first look for the truth.

from __future__ import annotations

from peermeet.core import messages as m
from peermeet.core.evolve import evolve, without_private
from peermeet.core.messages import JournalEvent
from peermeet.core.model import Card, Circle, Mode, Phase, Reason, Role, Topic
from tests.kit import START, Meeting


def cared_for(*names: str) -> Meeting:
    """Fay leads and Cara, the co-facilitator, cares."""
    return Meeting("fay*", "cara*", *names)


def two_apart(meeting: Meeting, name: str = "ana") -> Meeting:
    meeting.people[name].does(m.OfferQuiet)
    meeting.cara.does(m.AcceptQuiet, seat=name)
    return meeting


# --- Quiet words --------------------------------------------------------------------------------


def test_a_quiet_word_is_asked_of_those_who_care_and_of_nobody_else() -> None:
    meeting = cared_for("ana", "ben")
    events = meeting.ana.does(m.OfferQuiet)
    assert meeting.cara.notices(events) == ["quiet_offered"]
    assert meeting.fay.view.quiet.asked_by == (meeting.ana.seat,)
    assert meeting.ben.notices(events) == []
    assert meeting.ben.view.quiet.asked_by == ()
    assert meeting.ana.view.quiet.asked


def test_both_arrive_muted_in_a_space_of_their_own() -> None:
    meeting = cared_for("ana", "ben")
    for person in (meeting.ana, meeting.cara, meeting.ben):
        person.speaks()
        person.does(m.SetCamera, on=True)
    two_apart(meeting)
    assert meeting.space("ana") == {"ana", "cara"}
    assert meeting.heard == {"ben"}
    assert meeting.seen == {"ben"}
    meeting.ana.speaks()
    assert "ana" in meeting.heard


def test_the_circle_sees_only_that_they_are_away_for_a_moment() -> None:
    meeting = cared_for("ana", "ben")
    meeting.ana.does(m.OfferQuiet)
    events = meeting.cara.does(m.AcceptQuiet, seat="ana")
    assert meeting.ben.notices(events) == ["seat_apart"]
    assert meeting.ana.notices(events) == ["quiet_begun"]
    assert meeting.cara.notices(events) == ["quiet_begun"]
    apart = {meeting.name(s.id) for s in meeting.ben.view.seats if s.apart}
    assert apart == {"ana", "cara"}
    assert meeting.ben.view.quiet.with_you is None
    assert meeting.ana.view.quiet.with_you == meeting.cara.seat


def test_either_returns_at_any_time_and_is_muted_again() -> None:
    meeting = two_apart(cared_for("ana", "ben"))
    meeting.ana.speaks()
    events = meeting.cara.does(m.LeaveSpace)
    assert meeting.space("ana") == {"ana", "ben", "cara", "fay"}
    assert "ana" not in meeting.heard
    assert "seat_back" in meeting.ben.notices(events)


def test_the_place_in_the_round_is_kept_and_skipped_for_now() -> None:
    meeting = cared_for("ana", "ben")
    meeting.round(first="fay")
    two_apart(meeting)
    meeting.fay.does(m.PassTurn)
    assert meeting.holder == "ben"
    meeting.ana.does(m.LeaveSpace)
    meeting.ben.does(m.PassTurn)
    assert meeting.holder == "cara"
    meeting.cara.does(m.PassTurn)
    assert meeting.holder == "ana"


def test_a_holder_who_goes_to_a_quiet_word_is_offered_the_rest_later() -> None:
    meeting = cared_for("ana", "ben")
    meeting.round(first="ana")
    meeting.at(s=20)
    two_apart(meeting)
    assert meeting.holder == "ben"
    meeting.ana.does(m.LeaveSpace)
    meeting.ben.does(m.PassTurn)
    meeting.fay.does(m.PassTurn)
    meeting.cara.does(m.PassTurn)
    assert (meeting.holder, meeting.left_s) == ("ana", 160)


def test_a_facilitator_offers_and_the_member_accepts() -> None:
    meeting = cared_for("ana")
    events = meeting.cara.does(m.OfferQuiet, seat="ana")
    assert meeting.ana.notices(events) == ["quiet_offered"]
    assert meeting.fay.view.quiet.asked_by == ()
    meeting.ana.does(m.AcceptQuiet, seat="cara")
    assert meeting.space("ana") == {"ana", "cara"}


def test_nobody_is_brought_there_without_having_asked_or_accepted() -> None:
    meeting = cared_for("ana", "ben")
    assert meeting.cara.is_refused(m.AcceptQuiet, seat="ana") == "no_offer"
    meeting.cara.does(m.OfferQuiet, seat="ana")
    assert meeting.fay.is_refused(m.AcceptQuiet, seat="cara") == "no_offer"
    assert meeting.ben.is_refused(m.AcceptQuiet, seat="cara") == "no_offer"
    meeting.ana.does(m.DeclineQuiet, seat="cara")
    assert meeting.ana.is_refused(m.AcceptQuiet, seat="cara") == "no_offer"


def test_an_offer_can_be_taken_back() -> None:
    meeting = cared_for("ana")
    meeting.ana.does(m.OfferQuiet)
    meeting.ana.does(m.DeclineQuiet, seat="ana")
    assert meeting.cara.is_refused(m.AcceptQuiet, seat="ana") == "no_offer"
    assert meeting.ana.does(m.DeclineQuiet, seat="ana") == []
    assert meeting.cara.is_refused(m.DeclineQuiet, seat="ana") == "no_offer"


def test_a_quiet_word_needs_one_who_cares_and_one_who_does_not() -> None:
    meeting = cared_for("ana", "ben")
    assert meeting.ana.is_refused(m.OfferQuiet, seat="ben") == "needs_one_who_cares"
    assert meeting.fay.is_refused(m.OfferQuiet, seat="cara") == "needs_one_who_cares"
    assert meeting.fay.is_refused(m.OfferQuiet) == "needs_one_who_cares"
    assert meeting.ana.is_refused(m.OfferQuiet, seat="ana") == "needs_one_who_cares"


def test_who_is_in_a_quiet_word_is_not_asked_for_another() -> None:
    meeting = two_apart(cared_for("ana", "ben"))
    assert meeting.ben.is_refused(m.OfferQuiet, seat="cara") == "away_from_circle"
    assert meeting.ana.is_refused(m.OfferQuiet) == "away_from_circle"


def test_who_is_away_cannot_be_taken_along() -> None:
    meeting = cared_for("ana")
    meeting.ana.does(m.OfferQuiet)
    meeting.ana.drops()
    assert meeting.cara.is_refused(m.AcceptQuiet, seat="ana") == "seat_away"


def test_a_quiet_word_goes_on_while_the_circle_is_paused() -> None:
    meeting = two_apart(cared_for("ana", "ben"))
    meeting.fay.does(m.PauseCircle)
    meeting.ana.speaks()
    assert meeting.heard == {"ana"}


def test_nothing_of_a_quiet_word_is_written_down() -> None:
    meeting = two_apart(cared_for("ana"))
    meeting.ana.does(m.LeaveSpace)
    meeting.ana.does(m.StepOut)
    meeting.ana.does(m.AskPause)
    meeting.ana.does(m.NoteContent, topic=Topic.DEATH)
    meeting.fay.does(m.ShowCard, card=Card.ADVICE, seat="ana")
    kept = [event for _, event in meeting.log if isinstance(event, JournalEvent)]
    assert {event.kind for event in kept} == {"seat_taken"}


def test_after_a_crash_they_are_in_the_circle_again() -> None:
    meeting = two_apart(cared_for("ana"))
    replayed = Circle(at=START)
    for at, event in meeting.log:
        if isinstance(event, JournalEvent):
            replayed = evolve(replayed, event, at)
    assert replayed.seats == without_private(meeting.circle).seats
    meeting.restarts(alive_until_s=1, back_at_s=2)
    assert meeting.space("ana") == {"ana", "cara", "fay"}


# --- Stepping out -------------------------------------------------------------------------------


def test_who_steps_out_hears_nobody_and_keeps_the_place() -> None:
    meeting = cared_for("ana", "ben")
    meeting.round(first="cara")
    events = meeting.ana.does(m.StepOut)
    assert meeting.space("ana") == {"ana"}
    assert meeting.ben.notices(events) == ["seat_apart"]
    meeting.cara.does(m.PassTurn)
    assert meeting.holder == "ben"
    assert meeting.ana.is_refused(m.SetMic, on=True) == "away_from_circle"
    events = meeting.ana.does(m.StepIn)
    assert meeting.ben.notices(events) == ["seat_back"]
    assert "ana" in meeting.waiting


def test_stepping_out_of_ones_own_turn_offers_the_rest_later() -> None:
    meeting = cared_for("ana", "ben")
    meeting.round(first="ana")
    meeting.at(s=30).ana.does(m.StepOut)
    assert meeting.holder == "ben"
    assert meeting.waiting[-1] == "ana"


def test_stepping_out_twice_is_once() -> None:
    meeting = cared_for("ana")
    meeting.ana.does(m.StepOut)
    assert meeting.ana.does(m.StepOut) == []
    meeting.ana.does(m.StepIn)
    assert meeting.ana.does(m.StepIn) == []


# --- Notes, cards, pauses -----------------------------------------------------------------------


def test_who_stepped_out_is_called_back_when_the_hard_topic_is_over() -> None:
    meeting = cared_for("ana", "ben")
    events = meeting.ana.does(m.NoteContent, topic=Topic.VIOLENCE, minutes=5)
    assert meeting.ben.notices(events) == ["content_noted"]
    assert meeting.ben.view.note is not None
    assert meeting.ben.view.note.topic is Topic.VIOLENCE
    meeting.ben.does(m.StepOut)
    del meeting.log[:]
    meeting.at(s=301)
    ended = [e for _, e in meeting.log]
    assert meeting.ben.notices(ended) == ["called_back"]
    assert "called_back" not in meeting.cara.notices(ended)
    assert meeting.ben.view.note is None


def test_a_note_is_ended_by_its_person_or_by_who_moderates() -> None:
    meeting = cared_for("ana", "ben")
    meeting.ana.does(m.NoteContent, topic=Topic.OTHER)
    assert meeting.ben.is_refused(m.EndNote) == "not_allowed"
    assert meeting.ben.is_refused(m.NoteContent, topic=Topic.DEATH) == "not_allowed"
    meeting.ana.does(m.EndNote)
    assert meeting.ana.does(m.EndNote) == []
    meeting.ana.does(m.NoteContent, topic=Topic.OTHER)
    meeting.cara.does(m.EndNote)
    assert meeting.circle.note is None


def test_a_note_goes_with_its_person() -> None:
    meeting = cared_for("ana")
    meeting.ana.does(m.NoteContent, topic=Topic.OTHER)
    meeting.ana.does(m.Leave)
    assert meeting.circle.note is None


def test_a_card_for_all_names_nobody_and_can_be_taken_back() -> None:
    meeting = cared_for("ana")
    events = meeting.fay.does(m.ShowCard, card=Card.CROSS_TALK)
    assert meeting.ana.notices(events) == ["card_shown"]
    assert meeting.ana.view.card is Card.CROSS_TALK
    assert meeting.fay.does(m.ShowCard, card=Card.CROSS_TALK) == []
    events = meeting.fay.does(m.WithdrawCard)
    assert meeting.ana.notices(events) == []
    assert meeting.ana.view.card is None
    assert meeting.fay.does(m.WithdrawCard) == []


def test_a_card_in_private_reaches_one_person() -> None:
    meeting = cared_for("ana", "ben")
    events = meeting.fay.does(m.ShowCard, card=Card.ADVICE, seat="ana")
    assert meeting.ana.notices(events) == ["card_for_you"]
    assert meeting.ben.notices(events) == []
    assert (meeting.ana.view.your_card, meeting.ben.view.your_card) == (Card.ADVICE, None)
    meeting.ana.does(m.PutAwayCard)
    assert meeting.ana.does(m.PutAwayCard) == []
    assert meeting.fay.does(m.WithdrawCard, seat="ana") == []
    meeting.fay.does(m.ShowCard, card=Card.ADVICE, seat="ana")
    meeting.fay.does(m.WithdrawCard, seat="ana")
    assert meeting.ana.view.your_card is None


def test_a_pause_is_asked_for_without_saying_who() -> None:
    meeting = cared_for("ana", "ben")
    events = meeting.ana.does(m.AskPause)
    assert meeting.fay.notices(events) == ["pause_asked"]
    assert meeting.ben.notices(events) == []
    assert (meeting.fay.view.pause_asked, meeting.ben.view.pause_asked) == (True, False)
    assert meeting.ben.does(m.AskPause) == []
    meeting.fay.does(m.DeclinePause)
    assert not meeting.fay.view.pause_asked
    assert meeting.fay.does(m.DeclinePause) == []
    meeting.ana.does(m.AskPause)
    meeting.fay.does(m.PauseCircle)
    assert not meeting.fay.view.pause_asked
    assert meeting.ana.does(m.AskPause) == []


def test_why_a_camera_is_covered_is_told_to_its_person() -> None:
    meeting = cared_for("ana", "ben")
    meeting.ana.does(m.SetCamera, on=True)
    events = meeting.fay.does(m.CoverCamera, seat="ana", reason=Reason.PRIVATE_THINGS)
    assert meeting.ana.notices(events) == ["camera_covered"]
    assert meeting.ana.view.covered is Reason.PRIVATE_THINGS
    assert meeting.ben.view.covered is None
    assert meeting.seen == set()


def test_a_quiet_word_takes_both_out_of_their_pairs() -> None:
    meeting = Meeting("fay*", "ana", "ben", "cleo", "dev").sheet(Phase(Mode.PAIRS, turn_ms=60_000))
    meeting.ana.does(m.OfferQuiet)
    meeting.fay.does(m.AcceptQuiet, seat="ana")
    assert meeting.space("ana") == {"ana", "fay"}
    assert len(meeting.circle.spaces) == 1


def test_a_listener_has_a_voice_in_a_quiet_word() -> None:
    meeting = cared_for("ana")
    meeting.ana.does(m.ListenOnly, on=True)
    two_apart(meeting)
    meeting.ana.speaks()
    assert meeting.heard == {"ana"}
    assert Role.LISTENER in meeting.circle.seats[meeting.ana.seat].roles
