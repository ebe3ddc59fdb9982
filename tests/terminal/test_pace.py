"""Pace: nothing goes before the answer, unless none ever comes; a slow link's deltas are small."""

from __future__ import annotations

from math import inf

from gdtui.terminal.pace import LEAST_SLICE, Pace, Question


def answering(fps: float = 50.0) -> Pace:
    pace = Pace(fps)
    pace.begin(0.0)
    pace.answered(Question.MODE, False, 0.01)
    pace.answered(Question.CURSOR, False, 0.01)
    return pace


def test_the_first_goes_at_once_and_the_next_after_the_answer() -> None:
    pace = answering()
    assert pace.due() <= 1.0
    pace.sent(100, 1.0)
    assert pace.due() == inf
    pace.answered(Question.CURSOR, False, 1.1)
    assert pace.due() <= 1.1
    assert pace.link(1.1).round_trip_ms is not None
    assert abs(pace.link(1.1).round_trip_ms - 100) < 1


def test_the_answer_to_another_question_is_not_waited_for() -> None:
    pace = answering()
    pace.sent(100, 1.0)
    pace.answered(Question.MODE, False, 1.01)
    assert pace.due() == inf


def test_no_more_redraws_a_second_than_wanted() -> None:
    pace = answering(fps=5.0)
    pace.sent(100, 1.0)
    pace.answered(Question.CURSOR, False, 1.01)
    assert pace.due() == 1.2


def test_who_never_answers_is_not_waited_for() -> None:
    pace = Pace(50.0)
    pace.begin(0.0)
    pace.sent(100, 0.1)
    assert pace.expires() < 3.0
    assert pace.expired(3.0) is None
    assert not pace.asks
    assert pace.due() <= 3.0
    assert pace.link(3.0).round_trip_ms is None


def test_a_stalled_link_gets_a_question_now_and_then_and_no_delta() -> None:
    pace = answering()
    pace.sent(100, 1.0)
    asked = []
    while (now := pace.expires()) < 11.0:
        assert pace.expired(now) is not None
        assert pace.due() == inf
        asked.append(now)
    assert 2 <= len(asked) <= 5
    pace.answered(Question.CURSOR, True, 11.0)
    assert pace.due() <= 11.0


def test_an_answer_that_is_lost_holds_up_for_less_than_a_second() -> None:
    pace = answering()
    pace.sent(100, 1.0)
    now = pace.expires()
    assert now < 2.0
    question = pace.expired(now)
    assert question is not None
    pace.answered(question, True, now + 0.01)
    assert pace.due() <= now + 0.01


def test_a_slow_link_has_small_deltas_and_is_the_limit() -> None:
    pace, now = answering(), 1.0
    for _ in range(5):
        pace.sent(1000, now)
        now += 1.0  # 1,000 bytes a second
        pace.answered(Question.CURSOR, True, now)
    assert LEAST_SLICE <= pace.slice <= 300
    assert pace.link(now).is_limit
    assert 900 <= pace.link(now).bytes_per_s <= 1100
    assert not pace.link(now + 5.0).is_limit


def test_a_fast_link_soon_takes_a_whole_screen() -> None:
    pace, now = answering(), 1.0
    for _ in range(3):
        pace.sent(pace.slice, now)
        now += 0.02
        pace.answered(Question.CURSOR, True, now)
    assert pace.slice >= 16_000
    assert not pace.link(now).is_limit
