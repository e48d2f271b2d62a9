"""``socket.io/`` as it is, and ``engine.io/`` with an echo in it instead of Socket.IO."""

from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt

from realtime_wall.views import socketio_session


class Echo:
    """Says what it hears."""

    deadline = None

    def __init__(self, node, session, request):
        self._session = session

    def message(self, data):
        self._session.send(data)

    def session_closed(self, reason):
        pass

    def is_busy(self):
        return False


@csrf_exempt
def engineio(request):
    return socketio_session.serve(request, Echo)


urlpatterns = [path("", include("realtime_wall.urls")), path("engine.io/", engineio)]
