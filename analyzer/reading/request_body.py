"""The bodies of requests to servers of OpenAI's protocol, as bytes.

Rules and schema are ten times as long as a pitch and the same for all of them, so a body is encoded once, around places
for the pitch and for the codes that belong to it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Final

from analyzer.reading.modes import ModelQuestion, whole_request
from analyzer.reading.profiles import Mode, Profile

_PITCH: Final = "\ue000the pitch\ue000"
_CODES: Final = (9_000_000_000_000_001, 9_000_000_000_000_002)
_PLACES: Final = re.compile("|".join(map(str, (_PITCH, *_CODES))).encode())
"""What takes the place of the pitch and the codes in a body that is encoded for all pitches."""


class RequestBodies:
    """Encodes what one model is asked. `name`: the model without its provider."""

    def __init__(self, name: str):
        self._name = name
        self._frames: dict[object, _Frame] = {}

    def encoded(self, question: ModelQuestion, mode: Mode, profile: Profile) -> tuple[str, bytes]:
        """The end of the request's address, and its body."""
        if question.said:  # what was said before belongs to this request alone
            endpoint, body = whole_request(question, mode, profile, self._name)
            return endpoint, _encoded(body)
        key = (question.form, mode, question.reading, question.settings, question.codes is None)
        frame = self._frames.get(key)
        if frame is None or frame.profile is not profile:
            frame = self._frames[key] = _Frame.around(question, mode, profile, self._name)
        return frame.endpoint, frame.filled(question)


@dataclass(frozen=True, slots=True)
class _Frame:
    """A body without what belongs to one pitch. `parts` and `places` take turns."""

    profile: Profile
    endpoint: str
    parts: tuple[bytes, ...]
    places: tuple[bytes, ...]

    @classmethod
    def around(cls, question: ModelQuestion, mode: Mode, profile: Profile, name: str) -> _Frame:
        any_pitch = ModelQuestion(
            question.form,
            question.pitch,
            codes=None if question.codes is None else _CODES,
            reading=question.reading,
            settings=question.settings,
            rendered=_PITCH,
        )
        endpoint, body = whole_request(any_pitch, mode, profile, name)
        content = _encoded(body)
        return cls(profile, endpoint, tuple(_PLACES.split(content)), tuple(_PLACES.findall(content)))

    def filled(self, question: ModelQuestion) -> bytes:
        belongs = {_PITCH.encode(): _encoded(question.message)[1:-1]}  # it lies within a string
        belongs |= {
            str(place).encode(): str(code).encode() for place, code in zip(_CODES, question.codes or (), strict=False)
        }
        filled = [self.parts[0]]
        for place, part in zip(self.places, self.parts[1:], strict=True):
            filled += (belongs[place], part)
        return b"".join(filled)


def _encoded(part: Any) -> bytes:
    return json.dumps(part, ensure_ascii=False, separators=(",", ":")).encode()
