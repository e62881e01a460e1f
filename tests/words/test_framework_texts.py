"""Forms of Django and pages of allauth speak our Japanese, and every text we took over is still one of theirs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import allauth
import django
import pytest
from django import forms
from django.contrib.auth.password_validation import validate_password
from django.utils.translation import override

from daicho.interfaces.portal import framework_texts

TAKEN = framework_texts.FORMS + framework_texts.PASSWORDS + framework_texts.LOGIN


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        (forms.CharField(), "", "入力または選択してください。"),
        (forms.EmailField(), "a", "メールアドレスを確認し、入力し直してください。"),
        (forms.IntegerField(max_value=5), "9", "5以下の値を入力してください。"),
        (forms.CharField(max_length=3), "abcdef", "3文字以内で入力してください（現在6文字）。"),
        (forms.ChoiceField(choices=[("a", "A")]), "b", "「b」は選べません。一覧から選んでください。"),
    ],
)
def test_a_field_says_what_to_do_in_our_words(field: forms.Field, value: Any, words: str) -> None:
    with override("ja"):
        with pytest.raises(forms.ValidationError) as refused:
            field.clean(value)
        assert refused.value.messages == [words]


def test_a_short_password_is_told_in_our_words() -> None:
    with override("ja"):
        with pytest.raises(forms.ValidationError) as refused:
            validate_password("Kx7-q2")
        assert refused.value.messages == ["パスワードは12文字以上で入力してください。"]


def test_each_text_is_still_one_of_theirs() -> None:
    folders = [Path(package.__file__).parent for package in (django, allauth)]
    catalogues = [path for folder in folders for path in folder.glob("**/locale/ja/LC_MESSAGES/django.po")]
    theirs = "".join(path.read_text().replace('"\n"', "") for path in catalogues)
    assert [text for text in TAKEN if f'"{text}"' not in theirs] == []
