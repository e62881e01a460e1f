"""The operator's catalog."""

from django.urls import path

from daicho.interfaces.portal.views import operator_catalog, operator_catalog_import

AT = "operator/catalog/"

urlpatterns = [
    path(AT, operator_catalog.tags, name="operator_catalog-tags"),
    path(f"{AT}new/", operator_catalog.tag_new, name="operator_catalog-tag-new"),
    path(f"{AT}products/", operator_catalog.products, name="operator_catalog-products"),
    path(f"{AT}products/new/", operator_catalog.product_new, name="operator_catalog-product-new"),
    path(f"{AT}ladders/", operator_catalog.ladders, name="operator_catalog-ladders"),
    path(f"{AT}ladders/new/", operator_catalog.ladder, name="operator_catalog-ladder-new"),
    path(f"{AT}ladders/<str:uid>/", operator_catalog.ladder, name="operator_catalog-ladder"),
    path(f"{AT}import/", operator_catalog_import.upload, name="operator_catalog-import"),
    path(f"{AT}import/catalog.csv", operator_catalog_import.sample, name="operator_catalog-sample"),
    path(f"{AT}<str:uid>/", operator_catalog.tag, name="operator_catalog-tag"),
]
