"""All tags and filters of the kit, gathered for one `{% load kit %}`; docs/kit.md is the cheat sheet."""

from django import template

from daicho.interfaces.portal.templatetags import kit_blocks, kit_charts, kit_forms, kit_small, kit_tables

register = template.Library()
for library in (kit_small, kit_forms, kit_tables, kit_blocks, kit_charts):
    register.tags.update(library.register.tags)
    register.filters.update(library.register.filters)
