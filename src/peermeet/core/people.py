"""People: who comes in, who waits, who is removed, which roles they have, and the door."""

from __future__ import annotations

from typing import assert_never

from peermeet.core import messages as m
from peermeet.core.apart import leave_pair
from peermeet.core.draft import Draft, require, require_over, require_seat
from peermeet.core.floor import drop_turn_of_absent, give_up_floor, go_on
from peermeet.core.messages import Code
from peermeet.core.model import CAPACITY, Circle, Door, Millis, Role, Seat, SeatId
from peermeet.core.powers import Power, has, takes_turns


def take_seat(draft: Draft, as_facilitator: bool) -> None:
    """A newcomer sits down, or waits. Who comes by the facilitators' link is always let in."""
    circle = draft.circle
    require(circle.door is not Door.CLOSED or as_facilitator, Code.DOOR_CLOSED)
    require(len(circle.seats) < CAPACITY, Code.CIRCLE_FULL)
    led = any(Role.FACILITATOR in s.roles for s in circle.seats.values())
    role = Role.CO_FACILITATOR if led else Role.FACILITATOR
    waits = circle.door is Door.ASK and not as_facilitator
    seat = SeatId(f"s{circle.seats_given + 1}")
    draft.add(m.SeatTaken(seat, (role,) if as_facilitator else (), waits))


def leave(draft: Draft, seat: SeatId, removed: bool = False) -> None:
    """A seat becomes free: the floor moves on first, and the circle never loses its head."""
    leave_pair(draft, seat)
    was_holder = give_up_floor(draft, seat)
    own = draft.circle.seats[seat]
    was_head = Role.FACILITATOR in own.roles
    draft.add((m.SeatRemoved if removed else m.SeatLeft)(seat, own.waiting))
    if was_holder:
        go_on(draft)
    if was_head:
        seats = draft.circle.seats.values()
        heirs = [s for s in seats if Role.CO_FACILITATOR in s.roles and not s.waiting]
        heirs.sort(key=lambda s: not s.present)
        if heirs:
            roles = {*heirs[0].roles, Role.FACILITATOR} - {Role.CO_FACILITATOR}
            draft.add(m.RolesChanged(heirs[0].id, _sorted(roles)))


PeopleCommand = m.MoveToWaiting | m.Admit | m.Remove | m.TakeBackRemoval | m.SetRoles | m.ListenOnly


def change_people(draft: Draft, actor: Seat, command: PeopleCommand) -> None:
    circle = draft.circle
    match command:
        case m.MoveToWaiting(seat=seat):
            require_over(actor, require_seat(circle, seat))
            if not circle.seats[seat].waiting:
                leave_pair(draft, seat)
                held = give_up_floor(draft, seat)
                draft.add(m.SeatSentToWait(seat))
                if held:
                    go_on(draft)
        case m.Admit(seat=seat):
            if require_seat(circle, seat).waiting:
                draft.add(m.SeatAdmitted(seat))
        case m.Remove(seat=seat):
            require_over(actor, require_seat(circle, seat))
            leave(draft, seat, removed=True)
            if circle.door is Door.OPEN:
                draft.add(m.DoorMoved(Door.CLOSED))
        case m.TakeBackRemoval(seat=seat):
            if seat in circle.seats:
                return
            require(seat in circle.removed, Code.NO_SUCH_SEAT)
            require(len(circle.seats) < CAPACITY, Code.CIRCLE_FULL)
            draft.add(m.RemovalTakenBack(seat))
        case m.SetRoles(seat=seat, roles=roles):
            _set_roles(draft, actor, require_seat(circle, seat), set(roles))
        case m.ListenOnly(on=on):
            others = actor.roles - {Role.LISTENER}
            _change_roles(draft, actor, others | {Role.LISTENER} if on else others)
        case _ as never:
            assert_never(never)


def _set_roles(draft: Draft, actor: Seat, seat: Seat, roles: set[Role]) -> None:
    require(not seat.waiting, Code.IN_WAITING_AREA)
    if seat.id == actor.id:
        # Leading is handed over, never dropped.
        require(Role.FACILITATOR in roles, Code.NOT_ALLOWED)
    _change_roles(draft, seat, roles)
    if seat.id != actor.id and Role.FACILITATOR in roles:
        stays = (actor.roles - {Role.FACILITATOR}) | {Role.CO_FACILITATOR}
        _change_roles(draft, actor, stays)


def _change_roles(draft: Draft, seat: Seat, roles: set[Role] | frozenset[Role]) -> None:
    if roles == seat.roles:
        return
    after = Seat(seat.id, frozenset(roles))
    held = not takes_turns(after) and give_up_floor(draft, seat.id)
    draft.add(m.RolesChanged(seat.id, _sorted(roles)))
    if held:
        go_on(draft)


def _sorted(roles: set[Role] | frozenset[Role]) -> tuple[Role, ...]:
    return tuple(r for r in Role if r in roles)


def move_door(draft: Draft, command: m.CloseDoor | m.AskAtDoor | m.OpenDoor) -> None:
    """Open, ask, close; with the latecomers' rule it closes by itself a little later."""
    circle = draft.circle
    match command:
        case m.CloseDoor(after_ms=after_ms) if after_ms:
            door = Door.OPEN if circle.door is Door.CLOSED else circle.door
            draft.add(m.DoorMoved(door, Millis(draft.now + after_ms)))
        case m.CloseDoor():
            _move(draft, circle, Door.CLOSED)
        case m.AskAtDoor():
            _move(draft, circle, Door.ASK)
        case m.OpenDoor():
            _move(draft, circle, Door.OPEN)
        case _ as never:
            assert_never(never)


def _move(draft: Draft, circle: Circle, door: Door) -> None:
    if circle.door is not door or circle.door_closes_at is not None:
        draft.add(m.DoorMoved(door))


# --- Safety -------------------------------------------------------------------------------------


def keep_safe(draft: Draft, command: m.SafeRoom | m.Readmit | m.LiftSafety) -> None:
    """One key stops everybody who does not lead; then people are readmitted one by one."""
    circle = draft.circle
    match command:
        case m.SafeRoom():
            seats = circle.seats.values()
            loose = any(not s.veiled and not has(s, Power.LEAD) for s in seats)
            if not circle.safe or loose:
                draft.add(m.RoomMadeSafe())
            if circle.door is not Door.CLOSED:
                draft.add(m.DoorMoved(Door.CLOSED))
        case m.Readmit(seat=seat):
            if require_seat(circle, seat).veiled:
                draft.add(m.SeatReadmitted(seat))
        case m.LiftSafety(everyone=everyone):
            if everyone:
                for one in circle.seats.values():
                    if one.veiled:
                        draft.add(m.SeatReadmitted(one.id))
            if circle.safe:
                draft.add(m.SafetyLifted())
                drop_turn_of_absent(draft)
        case _ as never:
            assert_never(never)


def moderate(
    draft: Draft, command: m.HoldMic | m.ReleaseMic | m.CoverCamera | m.UncoverCamera
) -> None:
    """Close somebody's microphone or pictures; releasing only permits."""
    seat = require_seat(draft.circle, command.seat)
    match command:
        case m.HoldMic() | m.ReleaseMic():
            held = isinstance(command, m.HoldMic)
            if seat.mic_held != held:
                draft.add(m.MicHeld(seat.id, held))
        case m.CoverCamera(reason=reason):
            if seat.camera_covered != reason:
                draft.add(m.CameraCovered(seat.id, reason))
        case m.UncoverCamera():
            if seat.camera_covered is not None:
                draft.add(m.CameraCovered(seat.id, None))
        case _ as never:
            assert_never(never)
