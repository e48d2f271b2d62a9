"""Django Channels with its layer in memory, doing what the bench asks of ours: under daphne or uvicorn."""

import json

import django
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpResponse
from django.urls import path

settings.configure(
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="of the bench",
    # As many messages as may wait for a consumer.
    CHANNEL_LAYERS={
        "default": {"BACKEND": "channels.layers.InMemoryChannelLayer", "CONFIG": {"capacity": 1000}}
    },
)
django.setup()

from channels.generic.websocket import AsyncWebsocketConsumer  # noqa: E402
from channels.layers import get_channel_layer  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402


class Listener(AsyncWebsocketConsumer):
    groups = ("bench",)

    async def say(self, event):
        await self.send(text_data=event["text"])


async def publish(request):
    message = {"type": "say", "text": json.dumps("x" * int(request.GET["size"]))}
    for _ in range(int(request.GET["count"])):
        await get_channel_layer().group_send("bench", message)
    return HttpResponse("done")


urlpatterns = [path("publish/", publish)]
application = ProtocolTypeRouter(
    {"http": get_asgi_application(), "websocket": URLRouter([path("ws/", Listener.as_asgi())])}
)
