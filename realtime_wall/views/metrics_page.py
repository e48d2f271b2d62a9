"""``metrics/``: what Prometheus reads. For staff, for this machine, and for who has the key."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare

from realtime_wall.brokers import router
from realtime_wall.brokers.questions import GetMetrics
from realtime_wall.node.introspection import metrics
from realtime_wall.views.channels import channel_request, publish_rights
from realtime_wall.views.channels.channel_request import RequestRefused


def metrics_page(request: HttpRequest) -> HttpResponse:
    try:
        node = channel_request.node_for(request, "GET")
        if not _has_key(request, node.config.metrics_key):
            publish_rights.check_may_administer(node, request, "*")
    except RequestRefused as refused:
        return channel_request.with_no_cache(refused.response())
    found = router.answers(node.broker.calls, GetMetrics())
    return channel_request.with_no_cache(
        HttpResponse(metrics.as_text(found), content_type=metrics.CONTENT_TYPE)
    )


def _has_key(request: HttpRequest, key: str) -> bool:
    scheme, _, given = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    return bool(key) and scheme == "Bearer" and constant_time_compare(given, key)
