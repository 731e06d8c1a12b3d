"""Somebody who has never seen the code: knows `fulfil status` and `fulfil why`, and runs what they print."""

from __future__ import annotations

import re
import shlex

from tests.harness import Answer, Shop


class Stranger:
    """Runs commands that were printed, word for word; what stands there in capitals is theirs to fill in."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.said = ""
        """All that was printed so far."""

    def looks(self, *arguments: str, seconds: float = 60) -> Answer:
        """Run a command the stranger knows, or one they were told, and read all of it."""
        answer = self.shop.cli(*arguments, seconds=seconds)
        assert "Traceback" not in answer.err, answer
        self.said += f"{answer.out}\n{answer.err}\n"
        return answer

    def follows(self, printed: str, *more: str, **filled: str) -> Answer:
        """Run a command that was printed just so; `filled` replaces its words in capitals, `more` is theirs to add."""
        assert printed in self.said, f"nobody printed {printed!r}:\n{self.said}"
        words = [filled.get(word, word) for word in shlex.split(printed)]
        assert words[0] == "fulfil"
        return self.looks(*words[1:], *more)

    def printed(self, pattern: str) -> str:
        """Return the last command that was printed in this form."""
        found = re.findall(pattern, self.said)
        assert found, f"nobody printed {pattern}:\n{self.said}"
        return str(found[-1])

    def is_well(self) -> bool:
        """Tell whether `fulfil status` finds nothing wrong any more."""
        return self.shop.cli("status").code == 0

    def waits_until_well(self) -> None:
        """Wait until `fulfil status` finds nothing wrong."""
        try:
            self.shop.until("all to be well", self.is_well, 90)
        except AssertionError as error:
            error.add_note(self.shop.cli("status").out)
            raise
