"""カタログ: what is licensed, on what, and which license covers which (operator)."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from daicho.core.errors import BusinessError
from daicho.domain.access.rules import OperatorPermission
from daicho.domain.catalog import queries
from daicho.domain.catalog.commands.products import add_product
from daicho.domain.catalog.commands.tags import add_tag, change_tag, set_ladder
from daicho.interfaces.portal import components as kit
from daicho.interfaces.portal.lists import ChoiceFilter, Column, Empty, FlagFilter, ListPage, ListQuery
from daicho.interfaces.portal.views.licenses_parts import ENFORCEMENTS
from daicho.interfaces.portal.web import Here, operator_page, show_errors

CATALOG = OperatorPermission.CATALOG


def tabs(current: str) -> list[kit.Tab]:
    """Licenses · products · ladders."""
    pages = (("tags", _("Licenses")), ("products", _("Products")), ("ladders", _("Substitution")))
    return [kit.Tab(label, reverse(f"operator_catalog-{name}"), name == current) for name, label in pages]


class TagList(ListPage):
    key = "catalog"
    title = lazy("Catalog")
    text_label = lazy("Filter by SKU, name or family")
    default_sort = "sku"
    default_size = 50
    filters = (
        ChoiceFilter("class", lazy("Class"), list(ENFORCEMENTS.items())),
        FlagFilter("sold", lazy("Sold only")),
    )
    columns = (
        Column("sku", lazy("SKU"), kind="code", sort=True, link=lambda t: reverse("operator_catalog-tag", args=[t.uid])),
        Column("name", lazy("Name"), sort=True, phone=True),
        Column("name_ja", lazy("Japanese name")),
        Column("family", lazy("Family"), sort=True),
        Column("enforcement", lazy("Class"), value=lambda t: str(ENFORCEMENTS[t.enforcement]), phone=True),
        Column("ladder", lazy("Substitution"), value=lambda t: t.ladder.name if t.ladder is not None else ""),
        Column("rank", lazy("Tier"), kind="num"),
        Column("is_sold", lazy("Sold"), kind="bool"),
        Column("regid", lazy("Regid"), kind="code", optional=True),
        Column("description", lazy("Description"), optional=True),
    )  # fmt: skip
    empty = Empty(lazy("The catalog has no licenses yet"), lazy("Add a license, or import many from a file."))
    here: Here

    def fetch(self, q: ListQuery) -> Any:
        return queries.list_tags(
            self.here.actor,
            text=q.text,
            enforcement=q.filters.get("class", ""),
            sold_only=bool(q.filters.get("sold")),
            sort=q.sort,
            descending=q.descending,
            cursor=q.cursor,
            size=q.size,
            count=True,
        )


class ProductList(ListPage):
    key = "products"
    title = lazy("Products")
    text_label = lazy("Filter by vendor, name or part number")
    default_sort = "vendor"
    default_size = 50
    columns = (
        Column("name", lazy("Name"), sort=True),
        Column("vendor", lazy("Vendor"), sort=True, phone=True),
        Column("part_number", lazy("Part number"), kind="code", sort=True, phone=True),
        Column("description", lazy("Description")),
    )
    empty = Empty(lazy("No products yet"), lazy("Add a product, or import many from a file."))
    here: Here

    def fetch(self, q: ListQuery) -> Any:
        return queries.list_products(
            self.here.actor,
            text=q.text,
            sort=q.sort,
            descending=q.descending,
            cursor=q.cursor,
            size=q.size,
            count=True,
        )


@operator_page(CATALOG)
def tags(request: HttpRequest, here: Here) -> HttpResponseBase:
    """All kinds of licenses."""
    return TagList(request, here=here).response(
        {
            "frame": "frames/operator.html",
            "tabs": tabs("tags"),
            "primary": kit.Action(reverse("operator_catalog-tag-new"), _("Add a license"), "plus"),
            "actions": [kit.MenuItem(_("Import a file"), reverse("operator_catalog-import"), "upload")],
        }
    )


@operator_page(CATALOG)
def products(request: HttpRequest, here: Here) -> HttpResponseBase:
    """All products."""
    return ProductList(request, here=here).response(
        {
            "frame": "frames/operator.html",
            "tabs": tabs("products"),
            "primary": kit.Action(reverse("operator_catalog-product-new"), _("Add a product"), "plus"),
            "actions": [kit.MenuItem(_("Import a file"), reverse("operator_catalog-import"), "upload")],
        }
    )


class TagForm(forms.Form):
    sku = forms.CharField(label=lazy("SKU"), max_length=100)
    name = forms.CharField(label=lazy("Name"), max_length=200)
    name_ja = forms.CharField(label=lazy("Japanese name"), max_length=200, required=False)
    family = forms.CharField(label=lazy("Family"), max_length=100, required=False)
    enforcement = forms.ChoiceField(
        label=lazy("Class"), choices=list(ENFORCEMENTS.items()),
        help_text=lazy("Fixed from the first delivery on. Enforced licenses refuse devices beyond what is there."),
    )  # fmt: skip
    regid = forms.CharField(
        label=lazy("Regid"),
        max_length=300,
        required=False,
        help_text=lazy("Identifier in the style of ISO/IEC 19770-2."),
    )
    description = forms.CharField(label=lazy("Description"), max_length=500, required=False)
    description_ja = forms.CharField(label=lazy("Japanese description"), max_length=500, required=False)


class TagChangeForm(TagForm):
    is_sold = forms.BooleanField(label=lazy("Is sold: new orders may name it"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["sku"]


class ProductForm(forms.Form):
    vendor = forms.CharField(label=lazy("Vendor"), max_length=100)
    name = forms.CharField(label=lazy("Name"), max_length=200)
    part_number = forms.CharField(label=lazy("Part number"), max_length=100, required=False)
    description = forms.CharField(label=lazy("Description"), max_length=500, required=False)


class LadderForm(forms.Form):
    name = forms.CharField(label=lazy("Name"), max_length=100)
    skus = forms.CharField(
        label=lazy("SKUs, the best one first"), widget=forms.Textarea({"rows": 6}), max_length=3000,
        help_text=lazy("One SKU a line. A better license covers a lesser one, one for one, inside a virtual account."),
    )  # fmt: skip


def _crumbs() -> list[kit.Crumb]:
    return [kit.Crumb(_("Catalog"), reverse("operator_catalog-tags"))]


def _form_page(
    request: HttpRequest, form: forms.Form, title: str, button: str, back: str, note: str = ""
) -> HttpResponseBase:
    context = {"form": form, "heading": title, "button": button, "back": back, "crumbs": _crumbs(), "note": note}
    return render(request, "operator_catalog/form.html", context, status=422 if form.errors else 200)


@operator_page(CATALOG)
def tag_new(request: HttpRequest, here: Here) -> HttpResponseBase:
    """Add a kind of license."""
    form = TagForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            tag = add_tag(here.actor, **form.cleaned_data)
        except BusinessError as error:
            show_errors(form, error)
        else:
            kit.tell(request, "done", _("%(sku)s was added to the catalog.") % {"sku": tag.sku})
            return HttpResponseRedirect(reverse("operator_catalog-tags"))
    return _form_page(request, form, _("Add a license"), _("Add the license"), reverse("operator_catalog-tags"))


@operator_page(CATALOG)
def tag(request: HttpRequest, here: Here, uid: str) -> HttpResponseBase:
    """Change what the catalog says of a license."""
    found = queries.get_tag(here.actor, uid)
    initial = {name: getattr(found, name) for name in TagChangeForm().fields}
    form = TagChangeForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            change_tag(here.actor, tag=found, **form.cleaned_data)
        except BusinessError as error:
            show_errors(form, error)
        else:
            kit.tell(request, "done", _("%(sku)s was changed.") % {"sku": found.sku})
            return HttpResponseRedirect(reverse("operator_catalog-tags"))
    note = _("This license was delivered: its class can no longer change.") if queries.has_pools(found) else ""
    return _form_page(request, form, found.sku, _("Save the license"), reverse("operator_catalog-tags"), note)


@operator_page(CATALOG)
def product_new(request: HttpRequest, here: Here) -> HttpResponseBase:
    """Add a product."""
    form = ProductForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            product = add_product(here.actor, **form.cleaned_data)
        except BusinessError as error:
            show_errors(form, error)
        else:
            kit.tell(request, "done", _("%(name)s was added to the catalog.") % {"name": product.name})
            return HttpResponseRedirect(reverse("operator_catalog-products"))
    return _form_page(request, form, _("Add a product"), _("Add the product"), reverse("operator_catalog-products"))


@operator_page(CATALOG)
def ladders(request: HttpRequest, here: Here) -> HttpResponseBase:
    """Which license covers which."""
    found = [(ladder, queries.ladder_skus(ladder)) for ladder in queries.list_ladders(here.actor)]
    return render(request, "operator_catalog/ladders.html", {"ladders": found, "tabs": tabs("ladders")})


@operator_page(CATALOG)
def ladder(request: HttpRequest, here: Here, uid: str = "") -> HttpResponseBase:
    """Make a ladder, or let it take further licenses."""
    initial = {}
    if uid:
        found = queries.get_ladder(here.actor, uid)
        initial = {"name": found.name, "skus": "\n".join(queries.ladder_skus(found))}
    form = LadderForm(request.POST or None, initial=initial)
    if uid:
        form.fields["name"].disabled = True
    if request.method == "POST" and form.is_valid():
        try:
            set_ladder(here.actor, name=form.cleaned_data["name"], skus=form.cleaned_data["skus"].splitlines())
        except BusinessError as error:
            show_errors(form, error)
        else:
            kit.tell(request, "done", _("The substitution was saved."))
            return HttpResponseRedirect(reverse("operator_catalog-ladders"))
    title = _("Change a substitution") if uid else _("Add a substitution")
    note = _("Licenses that were delivered keep their place; others may join.") if uid else ""
    return _form_page(request, form, title, _("Save the substitution"), reverse("operator_catalog-ladders"), note)
