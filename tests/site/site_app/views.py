import os
import sys
import threading
import time

import gevent
from django.contrib.auth import authenticate, login, logout
from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.views.decorators.csrf import csrf_exempt
from gevent import monkey

from realtime_wall import NoSocket, broadcast, publish
from site_app import middleware


def hello(request):
    return HttpResponse("hello")


def user(request):
    return HttpResponse(f"user {request.user}")


@csrf_exempt
def echo(request):
    return HttpResponse(request.body)


@csrf_exempt
def raw(request):
    """A body as the server gives it; Django itself reads none without a Content-Length."""
    return HttpResponse(request.META["wsgi.input"].read())


@csrf_exempt
def unread(request):
    return HttpResponse("not read")


def write_session(request):
    """``?key=value``: into the visitor's session."""
    request.session.update(request.GET.dict())
    request.session.save()
    return JsonResponse({"key": request.session.session_key})


def slow(request):
    print("slow begins", flush=True)
    time.sleep(1)
    return HttpResponse("slow")


def slower(request):
    print("slow begins", flush=True)
    time.sleep(30)
    return HttpResponse("slower")


def stream(request):
    return StreamingHttpResponse(iter(["one ", "two"]))


def meta(request):
    return JsonResponse({key: value for key, value in request.META.items() if isinstance(value, str)})


def interpreter(request):
    """How this Python was started."""
    return JsonResponse(
        {
            "dev_mode": sys.flags.dev_mode,
            "unbuffered": sys.stdout.write_through,
            "isolated": bool(sys.flags.isolated),
            "warnings": sys.warnoptions,
            "path0": sys.path[0],
            "arguments": sys.argv[1:],
        }
    )


def by_itself(request):
    return HttpResponse(status=101)


def counts(request):
    """How many requests Django has begun and ended; this one is not among them."""
    started, finished = middleware.counts["started"], middleware.counts["finished"]
    return JsonResponse({"started": started - 1, "finished": finished})


def broadcast_view(request):
    try:
        return JsonResponse({"sockets": broadcast(request.GET.get("message", "")).sockets})
    except NoSocket as nobody:
        return JsonResponse({"error": str(nobody)}, status=404)


@csrf_exempt
def publish_view(request):
    """``?channel=``, once or more; the texts of the body's lines, one message each."""
    query = request.GET
    positions = [
        str(publish(channel, text, event=query.get("event"), event_id=query.get("event_id")))
        for text in request.body.decode().splitlines()
        for channel in query.getlist("channel")
    ]
    return JsonResponse({"positions": positions})


def from_a_greenlet(request):
    return JsonResponse({"sockets": gevent.spawn(broadcast, "from a greenlet").get().sockets})


def from_a_native_thread(request):
    """A thread that gevent knows nothing of, as a library's own C code might start one."""
    reached = []
    done = threading.Event()
    ready = gevent.get_hub().loop.async_()
    ready.start(done.set)

    def work():
        try:
            reached.append(broadcast("from a native thread").sockets)
        finally:
            ready.send()

    monkey.get_original("_thread", "start_new_thread")(work, ())
    done.wait(10)
    return JsonResponse({"sockets": reached[0]})


def from_a_fork(request):
    """A child of the server that never executes anything else, as multiprocessing makes them."""
    child = os.fork()
    if child == 0:
        status = 99
        try:
            status = broadcast("from a fork").sockets
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    return JsonResponse({"sockets": os.waitstatus_to_exitcode(status)})


@csrf_exempt
def log_in(request):
    user = authenticate(request, username=request.POST["name"], password=request.POST["password"])
    login(request, user)
    return HttpResponse(user.username)


@csrf_exempt
def log_out(request):
    logout(request)
    return HttpResponse("bye")
