"""Tables by hand and from data."""

from __future__ import annotations

from typing import Any

from django import template
from django.template import Context
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from daicho.interfaces.portal.markup import escaped, format_html
from daicho.interfaces.portal.templatetags import kit_blocks, kit_small
from daicho.interfaces.portal.templatetags.kit_base import part, stable_id

register = template.Library()


@register.simple_block_tag(takes_context=True)
def table(
    context: Context,
    content: str,
    caption: Any,
    id: str = "",
    phone: str = "",
    copy: bool = False,
    show_caption: bool = False,
) -> SafeString:
    """A table in a region that can be scrolled and reached by keyboard; `phone="list"` turns rows into a list."""
    return part(
        context, "table",
        content=content, caption=caption, id=id or stable_id("table", caption), phone=phone, copy=copy, show_caption=show_caption,
    )  # fmt: skip


@register.simple_tag(takes_context=True)
def th(context: Context, label: Any, sort: str = "", num: bool = False, default: str = "") -> SafeString:
    """A column head; with `sort` a link that sorts by it, keeping the rest of the query string.

    The sort in force is read from `?sort=`; `default` is the one without it.
    """
    css = mark_safe(' class="num"') if num else ""
    request = context.get("request")
    if not sort or request is None:
        return format_html('<th scope="col"{}>{}</th>', css, label)
    current = request.GET.get("sort", default)
    direction = "ascending" if current == sort else "descending" if current == f"-{sort}" else ""
    query = request.GET.copy()
    for name in ("cursor", "export", "columns", "_"):
        query.pop(name, None)
    query["sort"] = f"-{sort}" if direction == "ascending" else sort
    glyph = {"ascending": "sort-ascending", "descending": "sort-descending", "": "arrows-sort"}[direction]
    return format_html(
        '<th scope="col"{}{}><a class="sort" href="?{}">{}{}</a></th>',
        css, mark_safe(f' aria-sort="{direction}"') if direction else "", query.urlencode(), label, kit_small.icon(glyph),
    )  # fmt: skip


@register.simple_tag(takes_context=True)
def data_table(context: Context, table: Any) -> SafeString:
    """A table from `lists.Table`: columns and rows; grouped, tree and sum as the table says."""
    return part(context, "data_table", table=table)


@register.simple_tag(takes_context=True)
def table_rows(context: Context, table: Any) -> SafeString:
    """The body of a `data_table`. Written in Python: two hundred rows are several thousand cells."""
    drawn = []
    pick, acts = _("Select %(name)s"), _("Acts for %(name)s")
    for line in table.lines():
        if line.group is not None:
            drawn.append(
                f'<tr class="group"><th scope="rowgroup" colspan="{table.width}">{escaped(line.group)}</th></tr>'
            )
            continue
        drawn.append(f'<tr data-depth="{line.depth}">' if line.depth is not None else "<tr>")
        if table.selectable:
            drawn.append(
                f'<td class="pick"><input type="checkbox" class="form-check-input" name="row" value="{escaped(line.id)}"'
                f' form="bulk-{escaped(table.id)}" aria-label="{escaped(pick % {"name": line.name})}"></td>'
            )
        drawn.append(line.cells)
        if table.has_menu:
            label = acts % {"name": line.name}
            menu = kit_blocks.menu(context, label, line.menu, icon="dots", small=True, hide_label=True)
            drawn.append(f'<td class="row-menu">{menu}</td>')
        drawn.append("</tr>")
        if line.note:
            drawn.append(f'<tr class="note"><td colspan="{table.width}">{escaped(line.note)}</td></tr>')
    return SafeString("".join(drawn))


@register.simple_tag(takes_context=True)
def cell(context: Context, column: Any, row: Any) -> SafeString:
    """The `<td>` of a column for a row (the first column is a row head)."""
    return SafeString(column.html(row))
