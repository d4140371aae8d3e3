from __future__ import annotations

import signal

import pytest

from analyzer.runs.interrupts import stopping_on_interrupt


@pytest.mark.parametrize("before", [signal.default_int_handler, signal.SIG_IGN], ids=["in front", "in the background"])
def test_the_first_ctrl_c_stops_and_the_second_interrupts(before: signal.Handlers) -> None:
    saved = signal.signal(signal.SIGINT, before)
    said = []
    try:
        with stopping_on_interrupt(lambda: said.append("stopping")) as stop:
            signal.raise_signal(signal.SIGINT)
            assert stop.is_set() and said == ["stopping"]
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is before
    finally:
        signal.signal(signal.SIGINT, saved)
