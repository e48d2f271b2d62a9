"""How are many clients sent the same bytes by one system call?

By ``io_uring(7)``: a ring of entries in memory that is shared with the kernel, one ``send`` each. All that
differs between the entries of a broadcast is the descriptor, and all that differs between two broadcasts is
where the bytes are and how many. So a batch is written by copying one column, and its results are as they
should be when they are the same bytes as the last time.

A client whose kernel takes nothing is told apart at once (``MSG_DONTWAIT``): nothing is left in the ring.
Kernels and containers that forbid io_uring are common; whoever asks for a ring then gets an OSError.
"""

from __future__ import annotations

import _socket
import contextlib
import ctypes
import errno
import mmap
import os
import struct
import sys
from array import array
from typing import Any

# As the kernel's include/uapi/linux/io_uring.h has them; the numbers of the calls are the same everywhere.
_SETUP, _ENTER = 425, 426
_WAIT_FOR_RESULTS = 1  # IORING_ENTER_GETEVENTS
_ENTRIES_ARE_AT = 0x10000000  # IORING_OFF_SQES
_SEND = 26  # IORING_OP_SEND
_PARAMETERS, _ENTRY, _RESULT = 120, 64, 16  # bytes
_WRAP = 0xFFFFFFFF

# So many sends are one call, half a millisecond of work: between two of them somebody else may have a turn.
BATCH = 64


class SendRing:
    def __init__(self) -> None:
        """OSError where there is none to be had, or where it does not do what it should."""
        if not sys.platform.startswith("linux"):
            raise OSError(errno.ENOSYS, "io_uring is Linux's")
        self.is_open = True
        self._syscall: Any = ctypes.CDLL(None, use_errno=True).syscall
        self._syscall.restype = ctypes.c_long
        parameters = bytearray(_PARAMETERS)
        self._fd = self._call(
            ctypes.c_long(_SETUP), ctypes.c_uint(BATCH), (ctypes.c_char * _PARAMETERS).from_buffer(parameters)
        )
        try:
            words = memoryview(parameters).cast("I").tolist()
            self._map(words[0], words[1], sq=words[10:20], cq=words[20:30])
            self._check()
        except BaseException:
            self.close()
            raise

    def _map(self, entries: int, results: int, sq: list[int], cq: list[int]) -> None:
        """``sq`` and ``cq`` say where in the ring's memory what is: io_uring_setup(2)."""
        size = max(sq[6] + 4 * entries, cq[5] + _RESULT * results)
        self._memory = mmap.mmap(self._fd, -(-size // mmap.PAGESIZE) * mmap.PAGESIZE)
        self._words = memoryview(self._memory).cast("I")
        self._tail, self._first_result, self._last_result = sq[1] // 4, cq[0] // 4, cq[1] // 4
        self._results_at, self._result_count = cq[5], results
        self._words[sq[6] // 4 : sq[6] // 4 + BATCH] = memoryview(array("I", range(BATCH)))

        table = memoryview(mmap.mmap(self._fd, BATCH * _ENTRY, offset=_ENTRIES_ARE_AT))
        ints, longs = table.cast("i"), table.cast("Q")
        table[::_ENTRY] = bytes([_SEND]) * BATCH
        ints[7::16] = memoryview(array("i", [_socket.MSG_DONTWAIT | _socket.MSG_NOSIGNAL]) * BATCH)
        longs[4::8] = memoryview(array("Q", range(BATCH)))  # by which a result is known again
        self._descriptors, self._addresses, self._sizes = ints[1::16], longs[2::8], ints[6::16]
        self._data: bytes | None = None
        # All results, of which only the sizes differ: to pack them anew took longer than many a broadcast.
        self._all_sent = bytearray(b"".join(struct.pack("=QiI", which, 0, 0) for which in range(BATCH)))
        self._sent_sizes = memoryview(self._all_sent).cast("i")[2::4]

    def _check(self) -> None:
        """Whether this kernel sends, and says what became of it."""
        sender, reader = _socket.socketpair()  # not gevent's, which would wait
        with contextlib.closing(sender), contextlib.closing(reader):
            found = self.send(b"ok", array("i", [sender.fileno()] + [-1] * (BATCH - 1)), 0)
            if found != [2] + [-errno.EBADF] * (BATCH - 1) or reader.recv(3, _socket.MSG_DONTWAIT) != b"ok":
                raise OSError(errno.ENOSYS, "io_uring does not send here")

    def fileno(self) -> int:
        """Negative when it is closed."""
        return self._fd

    def close(self) -> None:
        self.is_open = False
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    # A batch

    def send(self, data: bytes, descriptors: array[int], first: int) -> list[int] | None:
        """Send to BATCH descriptors, from the ``first`` on; a negative one stands for nobody.

        None when each took all of it. Otherwise how many bytes each took, or the negative number of an error.
        """
        if data is not self._data:
            self._load(data)
        self._descriptors[:] = memoryview(descriptors)[first : first + BATCH]
        words = self._words
        words[self._tail] = (words[self._tail] + BATCH) & _WRAP
        problem = self._submit()
        begin = words[self._first_result]
        count = (words[self._last_result] - begin) & _WRAP
        at = self._results_at + begin % self._result_count * _RESULT
        found = self._memory[at : at + count * _RESULT]
        words[self._first_result] = (begin + count) & _WRAP
        if found == self._all_sent:
            return None
        # Whose result is missing was not sent to.
        taken = [-(problem or errno.ECANCELED)] * BATCH
        for which, result, _ in struct.iter_unpack("=QiI", found):
            taken[which] = result
        return taken

    def _load(self, data: bytes) -> None:
        size = len(data)
        address = ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p).value or 0
        self._data = data  # or its bytes might be gone
        self._addresses[:] = memoryview(array("Q", [address]) * BATCH)
        self._sizes[:] = self._sent_sizes[:] = memoryview(array("i", [size]) * BATCH)

    def _submit(self) -> int:
        """Have the entries sent; the number of the error that kept some of them from it, or 0."""
        left = BATCH
        while left:
            try:
                left -= self._call(
                    *(ctypes.c_long(_ENTER), ctypes.c_uint(self._fd), ctypes.c_uint(left)),
                    *(ctypes.c_uint(BATCH), ctypes.c_uint(_WAIT_FOR_RESULTS), None, ctypes.c_size_t(0)),
                )
            except InterruptedError:
                continue
            except OSError as problem:
                self.close()  # it is not to be trusted any more
                return problem.errno or errno.EIO
        return 0

    def _call(self, *arguments: Any) -> int:
        result: int = self._syscall(*arguments)
        if result < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        return result
