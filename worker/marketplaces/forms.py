"""The form of a marketplace's own order ids: a wrong copy is told before anybody is asked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Form:
    """How an id is written: `pattern` as a regular expression for the whole of it, `words` for a person."""

    pattern: str
    words: str

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile(self.pattern)

    def fits(self, reference: str) -> bool:
        """Tell whether an id can be one of this marketplace's."""
        return self._compiled.fullmatch(reference) is not None


ANY = Form(r"\S{1,64}", "1 to 64 characters without blanks")
"""For a marketplace that documents no form."""
