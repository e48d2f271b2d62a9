"""``{% load socketio_tags %}{% socketio %}``, as django-socketio's users wrote it."""

from django import template

from realtime_wall.templatetags.realtime import socketio_client_script

register = template.Library()
register.simple_tag(socketio_client_script, takes_context=True, name="socketio")
