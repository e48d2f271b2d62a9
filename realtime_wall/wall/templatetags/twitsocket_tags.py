"""``{% load twitsocket_tags %}``, as django-twitsocket's users wrote it: the tags of ``{% load wall %}``."""

from realtime_wall.wall.templatetags.wall import register

__all__ = ["register"]
