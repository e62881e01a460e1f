"""What can be licensed: read by everybody who is logged in, kept by the operator."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import File, Query, Router, Schema, Status, UploadedFile
from pydantic import Field

from daicho.domain.catalog import queries
from daicho.domain.catalog.commands.imports import import_catalog
from daicho.domain.catalog.commands.products import add_product
from daicho.domain.catalog.commands.tags import add_tag, change_tag, set_ladder
from daicho.interfaces.api.auth import actor_of
from daicho.interfaces.api.paging import Paged, PageParams, paged
from daicho.interfaces.api.problems import PROBLEMS
from daicho.interfaces.api.schemas import RowErrorOut, Text, Told

router = Router(tags=["Catalog"])

Enforcement = Literal["unenforced", "enforced", "export_controlled"]
Sku = Annotated[Text, Field(min_length=1, max_length=100)]


class TagOut(Told):
    """A kind of license. `rank` 1 is the best tier of its ladder."""

    uid: str
    sku: str
    name: str
    name_ja: str
    regid: str | None
    family: str
    enforcement: str
    ladder: str | None
    rank: int | None
    description: str
    description_ja: str
    is_sold: bool


class TagIn(Schema):
    """A new kind of license."""

    sku: Sku
    name: Text = Field(min_length=1, max_length=200)
    name_ja: Text = Field("", max_length=200)
    regid: Text = Field("", max_length=300)
    family: Text = Field("", max_length=100)
    enforcement: Enforcement = "unenforced"
    description: Text = Field("", max_length=500)
    description_ja: Text = Field("", max_length=500)


class TagChange(Schema):
    """What is given changes; what is left out stays. The SKU never changes."""

    name: Text | None = Field(None, min_length=1, max_length=200)
    name_ja: Text | None = Field(None, max_length=200)
    regid: Text | None = Field(None, max_length=300)
    family: Text | None = Field(None, max_length=100)
    enforcement: Enforcement | None = None
    description: Text | None = Field(None, max_length=500)
    description_ja: Text | None = Field(None, max_length=500)
    is_sold: bool | None = None


class ProductOut(Told):
    """A device model or an application."""

    uid: str
    vendor: str
    name: str
    part_number: str
    description: str


class ProductIn(Schema):
    vendor: Text = Field(min_length=1, max_length=100)
    name: Text = Field(min_length=1, max_length=200)
    part_number: Text = Field("", max_length=100)
    description: Text = Field("", max_length=500)


class LadderOut(Told):
    """Licenses of which a better one covers a lesser one, best first."""

    uid: str
    name: str
    skus: list[str]


class LadderIn(Schema):
    name: Text = Field(min_length=1, max_length=100)
    skus: list[Sku] = Field(min_length=2, max_length=20)


class CatalogImportOut(Told):
    """What a file did, or would do (`written` false)."""

    kind: str
    rows: int
    added: int
    changed: int
    unchanged: int
    repeated: int
    written: bool
    errors: list[RowErrorOut]


def tag_out(tag: Any) -> dict[str, Any]:
    fields = (
        "uid", "sku", "name", "name_ja", "regid", "family", "enforcement", "rank", "description", "description_ja",
        "is_sold",
    )  # fmt: skip
    return {name: getattr(tag, name) for name in fields} | {
        "ladder": tag.ladder.name if tag.ladder is not None else None
    }


def ladder_out(ladder: Any) -> dict[str, Any]:
    return {"uid": ladder.uid, "name": ladder.name, "skus": queries.ladder_skus(ladder)}


@router.get("/catalog/licenses", response={200: Paged[TagOut], **PROBLEMS}, operation_id="listCatalogLicenses")
def list_tags(
    request: HttpRequest,
    paging: Query[PageParams],
    text: Annotated[Text, Field(max_length=200)] = "",
    enforcement: Enforcement | None = None,
    sold_only: bool = False,
) -> Any:
    """Kinds of licenses, searched by SKU, name or family."""
    page = queries.list_tags(
        actor_of(request),
        text=text,
        enforcement=enforcement or "",
        sold_only=sold_only,
        cursor=paging.cursor,
        size=paging.size,
    )
    return paged(page, tag_out)


@router.post("/catalog/licenses", response={201: TagOut, **PROBLEMS}, operation_id="addCatalogLicense")
def create_tag(request: HttpRequest, body: TagIn) -> Any:
    """Add a kind of license to the catalog (operator)."""
    return Status(201, tag_out(add_tag(actor_of(request), **body.dict())))


@router.get("/catalog/licenses/{uid}", response={200: TagOut, **PROBLEMS}, operation_id="getCatalogLicense")
def get_tag(request: HttpRequest, uid: str) -> Any:
    """One kind of license."""
    return tag_out(queries.get_tag(actor_of(request), uid))


@router.patch("/catalog/licenses/{uid}", response={200: TagOut, **PROBLEMS}, operation_id="changeCatalogLicense")
def patch_tag(request: HttpRequest, uid: str, body: TagChange) -> Any:
    """Change what the catalog says of a license (operator); its class only before the first delivery."""
    actor = actor_of(request)
    changes = {name: value for name, value in body.dict(exclude_unset=True).items() if value is not None}
    change_tag(actor, tag=queries.get_tag(actor, uid), **changes)
    return tag_out(queries.get_tag(actor, uid))


@router.get("/catalog/products", response={200: Paged[ProductOut], **PROBLEMS}, operation_id="listProducts")
def list_products(
    request: HttpRequest, paging: Query[PageParams], text: Annotated[Text, Field(max_length=200)] = ""
) -> Any:
    """Products, searched by vendor, name or part number."""
    page = queries.list_products(actor_of(request), text=text, cursor=paging.cursor, size=paging.size)
    return paged(page, lambda product: product)


@router.post("/catalog/products", response={201: ProductOut, **PROBLEMS}, operation_id="addProduct")
def create_product(request: HttpRequest, body: ProductIn) -> Any:
    """Add a product to the catalog (operator)."""
    return Status(201, add_product(actor_of(request), **body.dict()))


@router.get("/catalog/ladders", response={200: list[LadderOut], **PROBLEMS}, operation_id="listLadders")
def list_ladders(request: HttpRequest) -> Any:
    """Which license covers which (operator)."""
    return [ladder_out(ladder) for ladder in queries.list_ladders(actor_of(request))]


@router.put("/catalog/ladders", response={200: LadderOut, **PROBLEMS}, operation_id="setLadder")
def put_ladder(request: HttpRequest, body: LadderIn) -> Any:
    """Say which licenses cover which lesser ones, the best one first (operator)."""
    return ladder_out(set_ladder(actor_of(request), name=body.name, skus=body.skus))


@router.post("/catalog/imports", response={200: CatalogImportOut, **PROBLEMS}, operation_id="importCatalog")
def create_import(request: HttpRequest, file: File[UploadedFile], dry_run: bool = False) -> Any:
    """Take licenses or products from a CSV, XLSX or JSON file, all rows or none (operator)."""
    return import_catalog(actor_of(request), content=file.read(), dry_run=dry_run).as_data()
