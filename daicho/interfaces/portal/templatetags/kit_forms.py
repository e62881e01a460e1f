"""Fields, error summary, form actions, upload, row errors."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms, template
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.forms.boundfield import BoundField
from django.template import Context
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from daicho.interfaces.portal.templatetags.kit_base import part

register = template.Library()


def _kind(widget: forms.Widget) -> str:
    if isinstance(widget, forms.CheckboxSelectMultiple | forms.RadioSelect):
        return "choices"
    if isinstance(widget, forms.CheckboxInput):
        return "check"
    if isinstance(widget, forms.Select | forms.SelectMultiple):
        return "select"
    if isinstance(widget, forms.FileInput):
        return "file"
    return "text"


def _width(field: forms.Field, kind: str) -> str:
    if kind != "text" or isinstance(field.widget, forms.Textarea):
        return "l" if isinstance(field.widget, forms.Textarea) else "m"
    if isinstance(field.widget, forms.NumberInput):
        return "s"
    if isinstance(field, forms.DateField):
        return "s"
    length = getattr(field, "max_length", None)
    if length is None:
        return "m"
    return "xs" if length <= 8 else "s" if length <= 20 else "m" if length <= 60 else "l"


def error_target(bound: BoundField) -> str:
    """The id that a link of the error summary leads to: the field, or the first of its choices."""
    name = bound.auto_id or f"id_{bound.html_name}"
    return f"{name}_0" if _kind(bound.field.widget) == "choices" else str(name)


def draw(
    context: Context, bound: BoundField, width: str = "", hint: Any = "", label: Any = "", **attributes: Any
) -> SafeString:
    if bound.is_hidden:
        return mark_safe(str(bound))
    widget = bound.field.widget
    kind = _kind(widget)
    name = bound.auto_id or f"id_{bound.html_name}"
    hint = "" if hint is False else hint or bound.help_text
    errors = [error for data in bound.form.errors.as_data().get(bound.name, []) for error in _texts(data)]
    described = " ".join([f"{name}_hint"] * bool(hint) + [f"{name}_error"] * bool(errors))
    css = {"select": "form-select", "check": "form-check-input", "choices": "form-check-input"}.get(
        kind, "form-control"
    )
    attrs = {
        **{key.replace("_", "-"): value for key, value in attributes.items()},
        "class": " ".join(filter(None, [css, widget.attrs.get("class", ""), "is-invalid" if errors else ""])),
        "aria-describedby": described or None,
        "aria-invalid": "true" if errors else None,
    }
    widget.attrs.pop("placeholder", None)
    control: Any
    if kind == "choices":
        control = list(bound.subwidgets)
        for choice in control:
            choice.data["attrs"]["class"] = css
            for name_ in ("aria-describedby", "aria-invalid"):
                choice.data["attrs"].pop(name_, None)
    else:
        control = bound.as_widget(attrs={key: value for key, value in attrs.items() if value is not None})
    return part(
        context, "field",
        field=bound, name=name, kind=kind, control=control, label=label or bound.label, hint=hint, errors=errors,
        described=described, width=width or _width(bound.field, kind),
        required=bound.field.required and not bound.field.disabled,
    )  # fmt: skip


def _named(form: forms.BaseForm, name: str, text: str) -> str:
    """An error as the summary says it: the field's label, then the words that stand at the field."""
    return _("%(name)s: %(value)s") % {"name": form[name].label, "value": text} if name in form.fields else text


def _texts(error: ValidationError) -> Iterable[str]:
    return [str(message) for message in error.messages]


@register.simple_tag(takes_context=True)
def token(context: Context) -> SafeString:
    """The hidden fields of every form that writes: the CSRF token, and the id by which a double click acts once."""
    return part(context, "token")


@register.simple_tag(takes_context=True)
def field(
    context: Context, bound: BoundField, width: str = "", hint: Any = "", label: Any = "", **attributes: Any
) -> SafeString:
    """One field: label, 必須 in words, hint, control, error; everything tied together for assistive technology."""
    return draw(context, bound, width, hint, label, **attributes)


@register.simple_tag(takes_context=True)
def fields(context: Context, form: forms.BaseForm) -> SafeString:
    """All fields of a form in their order, hidden ones too."""
    return mark_safe("".join(draw(context, bound) for bound in form))


@register.simple_tag(takes_context=True)
def error_summary(context: Context, *forms_: forms.BaseForm, title: Any = "") -> SafeString:
    """All errors of one or several forms on top of them; takes focus when the page arrives, links to the fields.

    `title` replaces the sentence that nothing was saved, where saving was not the point.
    """
    lines: list[dict[str, str]] = []
    for form in forms_:
        if not form:
            continue
        for name, errors in form.errors.as_data().items():
            target = error_target(form[name]) if name in form.fields and not form[name].is_hidden else ""
            for error in errors:
                code = error.code or "" if name == NON_FIELD_ERRORS else ""
                lines += [{"text": _named(form, name, text), "target": target, "code": code} for text in _texts(error)]
    return part(context, "error_summary", lines=lines, title=title) if lines else mark_safe("")


@register.simple_block_tag(takes_context=True)
def form_actions(context: Context, content: str, back: str = "", cancel: str = "") -> SafeString:
    """The buttons of a form: the primary one first; `back` for wizards, `cancel` for others."""
    return part(context, "form_actions", content=content, back=back, cancel=cancel)


@register.simple_tag(takes_context=True)
def upload(
    context: Context, bound: BoundField, accept: str = ".csv,.xlsx", sample: str = "", hint: Any = ""
) -> SafeString:
    """A file field that takes a drop as well, with a link to a sample file. `hint`: where other limits hold than usual."""
    return part(context, "upload", control=draw(context, bound, "l", accept=accept), sample=sample, hint=hint)


@register.simple_tag(takes_context=True)
def row_errors(context: Context, errors: Any, download: str = "") -> SafeString:
    """The rows of a file that cannot be taken, numbered as in the file, and their download."""
    return part(context, "row_errors", errors=list(errors), download=download)
