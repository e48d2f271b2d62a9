/* The least that a message to many sockets costs: one send(2) each. */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/types.h>

/* What a full socket has not taken, once its client has read; 0, or -1 for one that does not. */
static int send_rest(int socket, const char *data, int size, int patience)
{
    while (size > 0) {
        struct pollfd full = {socket, POLLOUT, 0};
        if (poll(&full, 1, patience) != 1)
            return -1;
        ssize_t taken = send(socket, data, size, MSG_NOSIGNAL);
        if (taken < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
            return -1;
        if (taken > 0) {
            data += taken;
            size -= taken;
        }
    }
    return 0;
}

/* -1, or the socket that has gone, or has taken nothing for so many milliseconds. */
int send_all(const int *sockets, int count, const char *data, int size, int patience)
{
    for (int at = 0; at < count; at++) {
        ssize_t taken = send(sockets[at], data, size, MSG_NOSIGNAL);
        if (taken == size)
            continue;
        if (taken < 0)
            taken = 0; /* one that has gone says so again */
        if (send_rest(sockets[at], data + taken, size - taken, patience))
            return sockets[at];
    }
    return -1;
}
