"""Who may do what, told a second time: by what each helper may do that members may not."""

from __future__ import annotations

import pytest

from peermeet.core import messages as m
from peermeet.core.decide import decide
from peermeet.core.messages import Code, Refused
from peermeet.core.model import Role
from peermeet.core.powers import POWERS
from tests.core.matrix import BEN, SEATS, commands, in_state

EVERYBODYS = {
    "set_mic set_camera start_share stop_share raise_hand lower_hand pass_turn later"
    " pass_to_anyone name_next begin_turn welcome_responses first_next_round listen_only"
    " ask_pause put_away_card note_content end_note step_out step_in offer_quiet accept_quiet"
    " decline_quiet leave_space leave write_all write_facilitators"
}
TIME = {"next_turn back extend hold_clock release_clock signal_gently"}
PAUSE = {"pause_circle resume_circle decline_pause"}
SAFE = {"safe_room readmit lift_safety"}
ADMIT = {"admit open_door ask_at_door close_door"}
MODERATE = {
    "hold_mic release_mic cover_camera uncover_camera show_card withdraw_card move_to_waiting"
    " remove take_back_removal stop_share_of_another"
}
LEAD = {
    "give_turn start_phase open_phase return_to_phase change_phase drop_phase call_back end_circle"
    " use_sheet insert_sheet lower_hand_of_another"
}
TEAM = {"write_team"}
ROLES = {"set_roles"}
LEADING = TIME | PAUSE | SAFE | ADMIT | MODERATE | LEAD | TEAM

MAY = {
    "fay": LEADING | ROLES,
    "cara": LEADING,
    "tim": TIME | TEAM,
    "guy": PAUSE | SAFE | TEAM,
    "gret": ADMIT | TEAM,
    "ian": set[str](),
    "lis": set[str](),
    "ana": set[str](),
}


def named(command: object) -> str:
    match command:
        case m.LowerHand(seat=seat) if seat == BEN:
            return "lower_hand_of_another"
        case m.StopShare(seat=seat) if seat == BEN:
            return "stop_share_of_another"
        case m.Write(to=to):
            return f"write_{to}"
        case m.UseSheet():
            return "use_sheet"
        case m.InsertSheet():
            return "insert_sheet"
        case _:
            return str(command.kind)  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", list(MAY))
def test_each_helper_may_do_what_they_are_here_for_and_no_more(name: str) -> None:
    meeting = in_state("talk")
    may = {word for words in EVERYBODYS | MAY[name] for word in words.split()}
    for command in commands(meeting.circle):
        try:
            decide(meeting.circle, SEATS[name], command, meeting.now)
            allowed = True
        except Refused as refusal:
            allowed = refusal.code is not Code.NOT_ALLOWED
        assert allowed == (named(command) in may), command


def test_who_writes_for_others_writes_in_any_part() -> None:
    meeting = in_state("talk")
    for name in ("fay", "cara", "ian"):
        assert decide(meeting.circle, SEATS[name], m.Write("all"), meeting.now) == []
    for name in ("tim", "lis", "ana"):
        with pytest.raises(Refused, match="chat_off"):
            decide(meeting.circle, SEATS[name], m.Write("all"), meeting.now)


def test_a_listener_has_no_power_and_nobody_has_none_by_mistake() -> None:
    assert [role for role, powers in POWERS.items() if not powers] == [Role.LISTENER]
