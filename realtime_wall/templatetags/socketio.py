"""``{% load socketio %}{% socketio_client_script %}``, as django-realtime's users wrote it."""

from django import template

from realtime_wall.templatetags.realtime import socketio_client_script

register = template.Library()
register.simple_tag(socketio_client_script, takes_context=True)
