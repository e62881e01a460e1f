"""Types that many operations share."""

from __future__ import annotations

from typing import Annotated

from ninja import Schema
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from daicho.domain.ledger.limits import MAX_QUANTITY


def _no_control_characters(text: str) -> str:
    if any(ord(char) < 32 and char not in "\n\t" for char in text):
        raise ValueError("control characters are not allowed")
    return text


Text = Annotated[str, AfterValidator(_no_control_characters)]
Uid = Annotated[str, Field(min_length=1, max_length=16)]
Quantity = Annotated[int, Field(ge=1, le=MAX_QUANTITY)]


class Told(BaseModel):
    """What an answer holds: of dicts and of objects alike. Read by pydantic alone, several times faster than a Schema."""

    model_config = ConfigDict(from_attributes=True)


class Named(Told):
    """A thing by handle and name."""

    uid: str
    name: str


class MemoIn(Schema):
    """The act's memo: free text such as an approval number, kept in the event log."""

    memo: Text = Field("", max_length=500)


class RowErrorOut(Told):
    """A row that cannot be taken; the head is row 1."""

    row: int
    column: str
    code: str
    message: str
