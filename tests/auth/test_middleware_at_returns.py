import pytest
from django.test import override_settings

from realtime_wall.auth.middleware_at_returns import at_returns
from tests.settings import MIDDLEWARE

HERE = "tests.auth.test_middleware_at_returns"


class Unknown:
    pass


class Gate:
    at_returns = "always"


def stamp(get_response):
    return get_response


stamp.at_returns = "never"


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ([], "never"),
        (["django.middleware.locale.LocaleMiddleware"], "never"),
        ([f"{HERE}.stamp"], "never"),
        ([f"{HERE}.stamp", f"{HERE}.Unknown"], "later"),
        (["django.contrib.auth.middleware.RemoteUserMiddleware"], "later"),
        (["no.such.Middleware"], "later"),
        ([f"{HERE}.Unknown", f"{HERE}.Gate"], "always"),
    ],
)
def test_the_strictest_decides(more, word):
    with override_settings(MIDDLEWARE=[*MIDDLEWARE, *more]):
        assert at_returns() == word
