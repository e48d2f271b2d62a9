"""Which Unix user is at the other end of a Unix socket?"""

from __future__ import annotations

import os
import socket
import struct

CREDENTIALS = struct.Struct("3i")  # pid, uid, gid: what SO_PEERCRED has of the other end


def is_trusted(connection: socket.socket) -> bool:
    """Whether it is ours, or root's; where the system does not know, the modes of files have decided."""
    if not hasattr(socket, "SO_PEERCRED"):
        return True
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size)
    _, uid, _ = CREDENTIALS.unpack(credentials)
    return uid in (os.getuid(), 0)
