"""Sends what is meant for X to where a test has its own."""

import os

from django.apps import AppConfig


class FeedSiteConfig(AppConfig):
    name = "tests.feed_site"

    def ready(self):
        if address := os.environ.get("X_URL"):
            from realtime_wall.wall.sources.x.recent_search import Search
            from realtime_wall.wall.sources.x.stream import XStreamSource

            for kind in (XStreamSource, Search):
                kind.__init__.__kwdefaults__["base_url"] = address
