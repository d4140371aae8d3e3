"""What if: signals changed on the page, and what follows from it without asking anybody."""

from __future__ import annotations

import re
from collections.abc import Callable

from streamlit.testing.v1 import AppTest

from analyzer.vocabulary.signals import Signals
from tests.page.visitor import DAY_2_ENGINEERING, OWN_PITCH, FixedReader, analyze, button, markup, visit, what_if


def test_an_edited_signal_moves_the_scores_and_asks_no_model(page: AppTest, reads: Callable[..., FixedReader]) -> None:
    reader = reads(Signals.model_validate({"product": "T", "problems": [DAY_2_ENGINEERING], "buyer": "practitioner"}))
    analyze(page, OWN_PITCH)
    before = re.findall('<span class="value">(.+?)</span>', markup(page))

    what_if(page, buyer="engineering_leadership", problems__0__focus="ml")

    shown = markup(page)
    assert re.findall('<span class="value">(.+?)</span>', shown) != before
    assert "Edited after reading: Problems and Who signs." in shown
    assert "Moved by: " in shown
    assert page.selectbox(key="set:buyer").label == "Who signs :blue-badge[edited]"
    assert reader.asked == 1


def test_one_change_or_all_can_be_taken_back(page: AppTest, reads: Callable[..., FixedReader]) -> None:
    reads(Signals.model_validate({"buyer": "practitioner"}))
    analyze(page, OWN_PITCH)
    what_if(page, buyer="engineering_leadership", urgency="important", in_scope="no")
    assert "The framework does not apply" in markup(page)

    next(found for found in page.button if found.key == "reset:in_scope").click().run()
    assert "Edited after reading: Who signs and Urgency." in markup(page)
    assert page.selectbox(key="set:in_scope").value == "yes"

    button(page, "Reset all").click().run()
    assert "Edited after reading" not in markup(page)
    assert page.selectbox(key="set:buyer").value == "practitioner"


def test_alternatives_can_be_left_out_and_added(page: AppTest, reads: Callable[..., FixedReader]) -> None:
    reads(Signals.model_validate({"competitors": [{"name": "AWS", "kind": "cloud_vendor"}]}))
    analyze(page, OWN_PITCH)
    what_if(page)
    field = page.multiselect(key="set:competitors")
    assert field.value == ["0"]
    assert field.options[0] == "AWS (cloud vendor)"

    field.set_value(["in_house"]).run()

    assert "Edited after reading: Competitors." in markup(page)
    assert visit(page).changes == {"competitors": "in_house"}


def test_another_pitch_begins_without_the_changes_to_the_last(page: AppTest, reads: Callable[..., FixedReader]) -> None:
    reads(Signals())
    analyze(page, OWN_PITCH)
    what_if(page, buyer="practitioner")

    analyze(page, f"{OWN_PITCH} Really.")

    assert "Edited after reading" not in markup(page)
    assert page.selectbox(key="set:buyer").value == "unknown"


def test_earlier_pitches_of_a_visit_are_listed_after_the_next(page: AppTest, reads: Callable[..., FixedReader]) -> None:
    reads(Signals.model_validate({"problems": [DAY_2_ENGINEERING]}))
    analyze(page, f"Earlier one\n\n{OWN_PITCH}")
    assert 'class="other"' not in markup(page)

    analyze(page, OWN_PITCH)
    assert markup(page).count('class="other"') == 1
    assert 'title="Earlier one: ' in markup(page)

    page.segmented_control(key="behind").set_value("Samples").run()
    assert markup(page).count('class="other"') == 15  # sixteen, one out of scope
    page.segmented_control(key="behind").set_value("None").run()
    assert 'class="other"' not in markup(page)


def test_what_readings_differ_on_can_be_settled_at_each_of_their_values(
    page: AppTest, reads: Callable[..., FixedReader]
) -> None:
    reads(Signals.model_validate({"urgency": {"value": "important", "votes": 2, "also": [{"value": "critical_path"}]}}))
    analyze(page, OWN_PITCH)
    what_if(page)
    field = page.selectbox(key="set:urgency")
    assert field.options[0] == "important (2 of 3 readings); critical path (1) (as read)"

    what_if(page, urgency="important")

    assert visit(page).changes == {"urgency": "important"}
    assert "Edited after reading: Urgency." in markup(page)


def test_every_field_explains_its_choices_and_shows_no_code(page: AppTest, reads: Callable[..., FixedReader]) -> None:
    signals = {"problems": [DAY_2_ENGINEERING], "data_movement": "none", "category": "model_serving"}
    reads(Signals.model_validate(signals))
    analyze(page, OWN_PITCH)
    what_if(page)
    fields = [each for each in (*page.selectbox, *page.multiselect) if str(each.key).startswith("set:")]
    helps = {str(field.key).removeprefix("set:"): str(field.proto.help) for field in fields}

    assert len(helps) == 19
    assert not [text for text in helps.values() if re.search(r"\w_\w", text) or "**" not in text]
    assert "**Nowhere, it stays with the customer**: Nothing goes to the vendor." in helps["data_movement"]
    assert helps["category"].count("**") == 2  # of 32 choices, the one in use
    assert "nowhere, it stays with the customer (as read)" in page.selectbox(key="set:data_movement").options
    assert not [option for field in fields for option in field.options if option.startswith("none")]
