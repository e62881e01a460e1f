"""Where one output ends and the next begins: by prompts, else by the first lines that outputs have."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field

from django.utils.translation import gettext_lazy as _

from daicho.core.errors import BusinessError
from daicho.domain.devices.printed.outputs import FAR, OUTPUTS, Output

MAX_BYTES = 10 * 1024 * 1024
MAX_LINE = 500  # longer ones are not tried on templates, whose patterns may take the square of it

# router#show license all · asa/pri/act> · RP/0/RP0/CPU0:xr# · <vrp>display · admin@fw> request license info · nexus(config)#
PROMPT = re.compile(
    r"^\s*(?P<prompt>(?:RP/\S+?:)?[<\[]?(?:[\w.-]+@)?(?P<host>[\w.-]+)(?:/[\w/-]+)?(?:\([\w./-]+\))?\s?[#>\]$%])"
    r"\s*(?P<command>.*?)\s*$"
)
COMMAND = re.compile(r"^(?:do\s+)?(?P<command>(?:sh|sho|show|dis\w*|request)\s+\S.*)$", re.IGNORECASE)
RULER = re.compile(r"^-{6,}\s*(?P<command>show\s+\S.*?)\s*-{6,}\s*$")  # between the parts of `show tech-support`
BARE = re.compile(
    r"^\s*(?P<command>(?:show?|dis\w*|request)\s+\S.{,60}?)\s*$", re.IGNORECASE
)  # copied without its prompt
STAMP = re.compile(r"^(?:Load for five secs:|Time source is\b|No time source\b)")
TERMINAL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]|\x1b[=>78]")
PAGER = re.compile(r"^\s*<?-{2,4} ?(?:More|more) ?-{2,4}>?(?:\x08+(?: +\x08+)?| *$)?")
BREAK = re.compile(r"\r*\n|\r")


@dataclass(slots=True)
class Section:
    """One output, or lines that belong to none (`output` is None). `first`: number of its first line, from 1."""

    output: Output | None
    host: str
    command: str
    first: int
    lines: list[str] = field(default_factory=list)

    @property
    def last(self) -> int:
        return self.first + len(self.lines) - 1

    def is_blank(self) -> bool:
        return not any(line.strip() for line in self.lines)


def decoded(content: bytes) -> str:
    """The text in whatever encoding it came: UTF-8, UTF-16, Shift_JIS, else Latin-1. Raises file_too_large, file_unreadable."""
    if len(content) > MAX_BYTES:
        raise BusinessError("file_too_large", 422, _("The text is larger than 10 MB. Split it."))
    marked = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    for encoding in ("utf-16",) if marked else ("utf-8-sig", "cp932", "latin-1"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" in text:
            break
        return text
    raise BusinessError(
        "file_unreadable", 422, _("This is no text. Save what the device printed as plain text and try again.")
    )


def lines_of(text: str) -> list[str]:
    """The lines as a person sees them: whatever the line ends, without colours and pager prompts."""
    lines = []
    for line in BREAK.split(text):
        if "\x1b" in line or "\x08" in line or "More" in line or "more" in line:
            line = PAGER.sub("", TERMINAL.sub("", line)).replace("\x08", "")
        lines.append(line.replace("\x0b", " ").replace("\x0c", " ").rstrip())
    return lines


def sections_of(lines: list[str]) -> list[Section]:
    """The outputs in order, with the lines between them."""
    found = [Section(None, "", "", 1)]
    prompts: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        if (told := _told(line, prompts)) is not None:
            host, command = told
            found.append(Section(None, host or found[-1].host, command, number + 1))
            continue
        here = found[-1]
        if not here.command:
            output = _started(line, here, number)
            if output is not None:
                here = Section(output, here.host, "", number)
                found.append(here)
        here.lines.append("" if STAMP.match(line) else line)
    for section in found:
        if section.command:
            section.output = _of_command(section)
    return found


def _told(line: str, prompts: dict[str, str]) -> tuple[str, str] | None:
    """The host and command of a prompt; what stands after a prompt that was seen before is a command, whatever it is."""
    if (ruler := RULER.match(line[:MAX_LINE])) is not None:
        return "", ruler["command"]
    if (bare := BARE.match(line[:MAX_LINE])) is not None and any(
        output.command.match(bare["command"]) for output in OUTPUTS
    ):
        return "", bare["command"]
    if len(line) > MAX_LINE or not any(sign in line for sign in "#>]$%"):
        return None
    found = PROMPT.match(line)
    if found is None:
        return None
    prompt, typed = found["prompt"].strip(), found["command"]
    if (command := COMMAND.match(typed)) is not None:
        prompts[prompt] = found["host"]
        return found["host"], command["command"]
    return (found["host"], "") if prompt in prompts else None


def _started(line: str, here: Section, number: int) -> Output | None:
    for output in OUTPUTS:
        if output.start.match(line) is None:
            continue
        inside = here.output
        if inside is not None and output.code in inside.absorbs:
            near = number - here.first < FAR
            return output if output.code == "smart_all" and not near else None
        if inside is output and number - here.first < FAR:
            return None
        return output
    return None


def _of_command(section: Section) -> Output | None:
    """By the command, and where several makers have it, by the first line that shows which."""
    meant = [output for output in OUTPUTS if output.command.match(section.command)]
    if len(meant) < 2:
        return meant[0] if meant else None
    by_line = (output for line in section.lines for output in meant if output.start.match(line))
    return next(by_line, None)
