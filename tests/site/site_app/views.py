import time

from django.http import HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from realtime_wall import NoSocket, broadcast


def hello(request):
    return HttpResponse("hello")


def user(request):
    return HttpResponse(f"user {request.user}")


@csrf_exempt
def echo(request):
    return HttpResponse(request.body)


def slow(request):
    time.sleep(1)
    return HttpResponse("slow")


def broadcast_view(request):
    try:
        return JsonResponse({"sockets": broadcast(request.GET.get("message", "")).sockets})
    except NoSocket as nobody:
        return JsonResponse({"error": str(nobody)}, status=404)
