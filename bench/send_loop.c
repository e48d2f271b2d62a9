/* The least that a message to many sockets costs: one send(2) each. */
#include <sys/socket.h>

int send_all(const int *sockets, int count, const char *data, int size)
{
    for (int at = 0; at < count; at++)
        if (send(sockets[at], data, size, MSG_NOSIGNAL) != size)
            return sockets[at];
    return -1;
}
