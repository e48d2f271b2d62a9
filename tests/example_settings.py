"""The settings of an example, with a database and a bus of a test's own, and a policy for its pages."""

import json
import os

from project.settings import *  # noqa: F403

# Would let a script run, but tells of every script and style that is not a file of the site.
POLICY = "default-src 'self'; img-src 'self' http: https:; base-uri 'none'; form-action 'self'"


def watched_pages(get_response):
    def answer(request):
        response = get_response(request)
        response["Content-Security-Policy-Report-Only"] = POLICY
        return response

    return answer


_example = globals()
MIDDLEWARE = [*_example["MIDDLEWARE"], "tests.example_settings.watched_pages"]
REALTIME_WALL = _example.get("REALTIME_WALL", {}) | json.loads(os.environ["SITE_REALTIME_WALL"])
if "DATABASES" in _example:
    _example["DATABASES"]["default"]["NAME"] = os.environ["SITE_DATABASE"]
