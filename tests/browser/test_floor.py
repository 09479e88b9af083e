"""What members meet on the floor: a queue, a reading, pairs, and words for all of it."""

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Sit
from tests.browser.person import Person, until

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

EVENING = """
title = "Evening circle"
source = "made for this test"
[[phase]]
title = "Opening words"
words = "A line for each of us."
mode = "read"
phase_min = 5
lines = ["What is said here stays here.", "We speak about ourselves."]
[[phase]]
title = "Open sharing"
mode = "queue"
order = "quiet-first"
chat = "on"
"""

ANSWERS = """
title = "Answers"
source = "made for this test"
[[phase]]
title = "How are you here?"
mode = "round"
order = "previous-names-next"
crosstalk = "invited"
gather_s = 60
"""

PAIRS = """
title = "In twos"
source = "made for this test"
[[phase]]
title = "In pairs"
mode = "pairs"
turn_s = 300
"""


def runs(holder: Person) -> bool:
    return bool(holder.view["turn"]["running"])


async def in_order(*people: Person) -> tuple[Person, ...]:
    """The same people, who has the piece first."""

    async def have_heard() -> bool:
        return all(person.view["turn"] for person in people)

    await until(have_heard, "everybody knows who has the piece")
    holder = people[0].view["turn"]["seat"]
    return tuple(sorted(people, key=lambda person: person.seat != holder))


async def test_a_text_is_read_line_by_line_and_shown_large_to_all(sit: Sit) -> None:
    fay, ana = await sit("Fay", "Ana")
    await fay.open_sheet(EVENING)
    first, second = await in_order(fay, ana)
    for person in (fay, ana):
        await expect(person.page.locator("blockquote")).to_have_text(
            "What is said here stays here."
        )
    await first.sees("You read")
    await second.sees(f"{first.name} reads")
    await first.tap("I am ready")
    await second.hears(first)
    await first.tap("I am done")
    for person in (fay, ana):
        await expect(person.page.locator("blockquote")).to_have_text("We speak about ourselves.")
    await second.tap("Pass")


async def test_the_plan_says_what_is_now_and_what_comes(sit: Sit) -> None:
    fay, ana = await sit("Fay", "Ana")
    await fay.open_sheet(EVENING)
    await expect(ana.page.locator(".top")).to_contain_text(
        "Opening words · about five minutes left · then Open sharing"
    )
    await ana.sees("A line for each of us.")
    await ana.sees("Next: Open sharing")
    await ana.tap("Whole plan…")
    plan = ana.page.get_by_role("dialog", name="Evening circle")
    await expect(plan.get_by_role("listitem")).to_have_count(2)
    await expect(plan.locator("[aria-current=step]")).to_contain_text("Opening words")
    await ana.tap("Close")
    await fay.open_next()
    await ana.hears_said("Now: Open sharing. Raise your hand when you want to speak.")
    await ana.sees("This is the last part.")


async def test_a_queue_tells_everybody_their_place(sit: Sit) -> None:
    fay, ana, ben = await sit("Fay", "Ana", "Ben")
    await fay.open_sheet(EVENING)
    await fay.open_next()
    await ana.sees("Raise your hand, and the piece comes to you.")
    await ana.tap("Raise my hand")
    await ana.sees("It is your turn")
    await ben.tap("Raise my hand")
    await fay.key("m")  # Fay's own hand
    await ben.sees("You are listening. You are next.")
    await fay.sees("You are listening. One person before you.")
    line = ben.page.locator(".order li")
    await expect(line).to_have_text(["Anaholding the piece", "Youyou are next", "Fay"])
    await ana.tap("Pass")
    await ben.sees("It is your turn")
    await fay.sees("You are next.")


async def test_a_turn_begins_when_its_person_is_ready_and_welcomes_answers(sit: Sit) -> None:
    fay, ana, ben = await sit("Fay", "Ana", "Ben")
    await fay.open_sheet(ANSWERS)
    first, second, _ = await in_order(fay, ana, ben)
    await first.sees("Your time begins when you are ready.")
    assert not runs(first)
    await first.tap("I am ready")
    await second.hears(first)
    assert runs(first)
    await first.tap("My turn…")
    await first.tap("Welcome answers")
    await second.sees("welcomes answers: raise your hand")
    await expect(second.page.get_by_text("You are next.")).to_have_count(0)
    await first.tap("My turn…")
    await first.tap("No answers, please")
    await expect(second.page.get_by_text("welcomes answers")).to_have_count(0)


async def test_the_one_before_names_the_next(sit: Sit) -> None:
    fay, ana, ben = await sit("Fay", "Ana", "Ben")
    await fay.open_sheet(ANSWERS)
    *_, chosen = await in_order(ana, ben)  # who has not had a turn yet
    await give(fay, fay)
    await ana.sees("Fay names who comes next.")
    await fay.tap("I am ready")
    await name_next(fay, chosen)
    await chosen.sees("It is your turn")


async def test_a_member_names_another_member_too(sit: Sit) -> None:
    fay, ana, ben = await sit("Fay", "Ana", "Ben")
    await fay.open_sheet(ANSWERS)
    holder, chosen = await in_order(ana, ben)
    await give(fay, holder)
    await holder.tap("I am ready")
    await holder.sees("When you are done, you name who comes next.")
    seat = next(seat for seat in holder.view["seats"] if seat["id"] == chosen.seat)
    assert "name_next" in seat["may"]
    await name_next(holder, chosen)
    await chosen.sees("It is your turn")


async def give(fay: Person, to: Person) -> None:
    """See to it that this person has the piece, whoever the order began with."""
    if fay.view["turn"]["seat"] != to.seat:
        await fay.page.get_by_title(f"More for {to.called_by(fay)}").click()
        await fay.tap("Give the turn")


async def name_next(holder: Person, other: Person) -> None:
    await holder.tap("Name who is next…")
    window = holder.page.get_by_role("dialog")
    await window.get_by_role("button", name=other.name).click()


async def test_a_pair_hears_one_another_alone_and_one_may_leave_at_any_time(sit: Sit) -> None:
    fay, ana, ben = await sit("Fay", "Ana", "Ben", cameras=True)
    # Fay sees to the others: three people would be a three, and nobody outside it.
    await fay.tap_wish("Only to listen today")
    await expect(fay.page.locator(".seats").get_by_text("listens today")).to_be_visible()
    await fay.open_sheet(PAIRS)
    await ana.sees_at_the_table(ben)
    await ben.sees_at_the_table(ana)
    await fay.sees("The others are in pairs")
    speaker, listener = sorted((ana, ben), key=lambda it: it.view["pair"]["speaker"] != it.seat)
    await speaker.sees("It is your turn to speak")
    await listener.sees("You each have the same time.")
    await expect(listener.button("I am ready")).to_have_count(0)
    assert "your_turn" in speaker.notices
    await speaker.tap("I am ready")
    await listener.hears(speaker)
    before = (await fay.counts(speaker))["packetsReceived"]
    await listener.hears_only(speaker, fay)
    assert (await fay.counts(speaker))["packetsReceived"] == before

    await fay.key("k")
    for person in (ana, ben):
        await person.sees("About twenty seconds, then you are back in the circle.")
    await listener.tap("Leave pair now")
    for person in (fay, ana, ben):
        await person.sees_at_the_table(*{fay, ana, ben} - {person})
        await person.sees("Everybody is back")


async def test_words_are_written_to_whom_it_is_said(sit: Sit) -> None:
    fay, ana, ben = await sit("Fay", "Ana", "Ben")
    await expect(ana.page.get_by_label("Write", exact=True)).to_have_count(0)
    await fay.open_sheet(EVENING)
    await fay.open_next()
    await ana.page.get_by_label("Write", exact=True).fill("I am here, and I listen.")
    await ana.page.keyboard.press("Enter")
    await ben.sees("I am here, and I listen.")
    await ben.hears_said("Ana wrote something.")
    await ana.page.get_by_label("It goes to").select_option("the facilitators only")
    await ana.page.get_by_label("Write", exact=True).fill("May we have a break?")
    await ana.tap("Send")
    await fay.sees("May we have a break?")
    await ana.sees("Nothing is kept.")
    await expect(ben.page.get_by_text("May we have a break?")).to_have_count(0)
    # Who loads the page again has new keys: what was written before does not open, what comes does.
    await ben.page.reload()
    await ben.sees_at_the_table(fay, ana)
    await ana.page.get_by_label("It goes to").select_option("everybody in the circle")
    await ana.page.get_by_label("Write", exact=True).fill("Welcome back.")
    await ana.tap("Send")
    await ben.sees("Welcome back.")
    await expect(ben.page.get_by_text("I am here, and I listen.")).to_have_count(0)
    assert "I am here" not in await ben.page.evaluate(
        "() => JSON.stringify([{...sessionStorage}, {...localStorage}])"
    )
