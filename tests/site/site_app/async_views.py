"""Five kinds of asynchronous code, each of which waits until a gate is opened; and a plain view."""

import asyncio

from asgiref.sync import async_to_sync, sync_to_async
from django.contrib.auth.models import User
from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.urls import path
from django.views import View

waiting = []


async def wait_at_gate():
    opened = asyncio.Event()
    waiting.append((asyncio.get_running_loop(), opened))
    await opened.wait()


def gate(request):
    """How many wait; with ``?open=1`` they may go on."""
    count = len(waiting)
    while waiting and "open" in request.GET:
        loop, opened = waiting.pop()
        loop.call_soon_threadsafe(opened.set)
    return JsonResponse({"waiting": count})


def ordinary(request):
    return HttpResponse(str(User.objects.count()))


async def native(request):
    await wait_at_gate()
    names = [user.username async for user in User.objects.all()]
    return JsonResponse({"users": [await User.objects.acount(), len(names)]})


class ByClass(View):
    async def get(self, request):
        user = await request.auser()
        await asyncio.gather(wait_at_gate(), wait_at_gate())
        await request.session.aset("key", 1)
        return JsonResponse({"user": str(user)})


def bridged(request):
    async def work():
        await wait_at_gate()
        return await sync_to_async(User.objects.count)()

    return JsonResponse({"users": async_to_sync(work)(), "again": User.objects.count()})


async def fetched(request):
    """Another page of this site, twice, before the gate and behind it: one connection that is kept."""
    import httpx

    async with httpx.AsyncClient(base_url=f"http://{request.get_host()}") as client:
        before = await client.get("/async/ordinary/")
        await wait_at_gate()
        after = await client.get("/async/ordinary/")
    return JsonResponse({"answers": [before.text, after.text], "users": await User.objects.acount()})


def streamed(request):
    async def generate():
        yield "one "
        await wait_at_gate()
        yield str(await User.objects.acount())

    return StreamingHttpResponse(generate())


KINDS = {
    "native": native,
    "class": ByClass.as_view(),
    "bridged": bridged,
    "fetched": fetched,
    "streamed": streamed,
}

urlpatterns = [
    path("gate/", gate),
    path("ordinary/", ordinary),
    *(path(f"{name}/", view) for name, view in KINDS.items()),
]
