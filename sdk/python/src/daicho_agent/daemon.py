"""The agent as a service: does what is due, sleeps until the next thing is, and ends at once when it is told to."""

from __future__ import annotations

import logging
import signal
import threading
from types import FrameType

from daicho_agent.agent import Agent
from daicho_agent.errors import AgentError
from daicho_agent.words import say

log = logging.getLogger("daicho_agent")
AFTER_A_FAULT = 60.0  # seconds; the state could not be read, locked or written


class Daemon:
    """SIGTERM and SIGINT end it; SIGHUP makes it look now."""

    def __init__(self, agent: Agent) -> None:
        self.agent = agent
        self._wake = threading.Event()
        self._ended = False
        self._said = ""

    def run(self) -> None:
        """Until it is told to end."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._signalled)
        while not self._ended:
            self._wake.wait(self.step())
            self._wake.clear()

    def step(self) -> float:
        """One look; seconds until the next."""
        try:
            wait = self.agent.tick()
            status = self.agent.status()
        except AgentError as problem:
            self._say(logging.ERROR, str(problem))
            return AFTER_A_FAULT
        if status.last_error:
            self._say(logging.WARNING, status.last_error)
        else:
            text = "{registration}, {authorization}"
            words = say(text, registration=status.registration, authorization=status.authorization)
            self._say(logging.INFO, words)
        return wait

    def _say(self, level: int, text: str) -> None:
        if text != self._said:  # a log of a month without a server is one line
            log.log(level, text)
            self._said = text

    def _signalled(self, number: int, _frame: FrameType | None) -> None:
        self._ended = number != signal.SIGHUP
        self._wake.set()
