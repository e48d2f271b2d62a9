"""Django's test cases, with the live site."""

from __future__ import annotations

import unittest
from typing import TYPE_CHECKING

from django.test import LiveServerTestCase, TestCase, TransactionTestCase

from realtime_wall.testing.in_process import Realtime
from realtime_wall.testing.live_server import RealtimeServerThread, ServedSite

if TYPE_CHECKING:
    _Base = unittest.TestCase
else:
    _Base = object


class RealtimeMixin(_Base):
    """Put before any test case of unittest's or Django's: each test has a ``self.realtime`` of its own."""

    realtime: Realtime

    def setUp(self) -> None:
        super().setUp()
        self.realtime = self.enterContext(Realtime())


class RealtimeTestCase(RealtimeMixin, TestCase):
    """Receivers run in the test's transaction, which is rolled back."""


class RealtimeTransactionTestCase(RealtimeMixin, TransactionTestCase):
    """Transactions are committed: for receivers that have to see that."""


class RealtimeLiveServerTestCase(LiveServerTestCase):
    """A server at ``self.live_server_url``, for browsers; ``self.realtime`` is its site."""

    server_thread_class = RealtimeServerThread

    @property
    def realtime(self) -> ServedSite:
        site: ServedSite = self.server_thread.site
        return site

    def setUp(self) -> None:
        super().setUp()
        self.addCleanup(self.realtime.drop_clients)
