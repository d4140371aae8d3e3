"""The bodies of requests to servers of OpenAI's protocol, as bytes.

Rules and schema are ten times as long as a pitch and the same for all of them, so a body is encoded once, around a
place for the pitch.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from analyzer.reading.modes import ModelQuestion, whole_request
from analyzer.reading.profiles import Mode, Profile

_PITCH: Final = "\ue000the pitch\ue000"
"""In place of the pitch."""


class RequestBodies:
    """Encodes what one model is asked. `name`: the model without its provider."""

    def __init__(self, name: str):
        self._name = name
        self._frames: dict[object, _Frame] = {}

    def encoded(self, question: ModelQuestion, mode: Mode, profile: Profile) -> tuple[str, bytes]:
        """The end of the request's address, and its body."""
        if question.said or question.codes is not None:  # more than the pitch belongs to this request alone
            endpoint, body = whole_request(question, mode, profile, self._name)
            return endpoint, _encoded(body)
        key = (question.form, mode, question.reading, question.settings)
        frame = self._frames.get(key)
        if frame is None or frame.profile is not profile:
            frame = self._frames[key] = _Frame.around_pitch(question, mode, profile, self._name)
        return frame.endpoint, frame.before + _encoded(question.message) + frame.after


@dataclass(frozen=True, slots=True)
class _Frame:
    """A body without its pitch."""

    profile: Profile
    endpoint: str
    before: bytes
    after: bytes

    @classmethod
    def around_pitch(cls, question: ModelQuestion, mode: Mode, profile: Profile, name: str) -> _Frame:
        any_pitch = ModelQuestion(
            question.form, question.pitch, reading=question.reading, settings=question.settings, rendered=_PITCH
        )
        endpoint, body = whole_request(any_pitch, mode, profile, name)
        before, after = _encoded(body).split(_encoded(_PITCH))
        return cls(profile, endpoint, before, after)


def _encoded(part: Any) -> bytes:
    return json.dumps(part, ensure_ascii=False, separators=(",", ":")).encode()
