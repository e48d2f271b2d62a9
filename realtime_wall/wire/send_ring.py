"""How are many clients sent the same bytes by one system call?

By ``io_uring(7)``: a ring of entries in memory that is shared with the kernel, one ``send`` each. All that
differs between the entries of a broadcast is the descriptor, and between two broadcasts often nothing else:
their bytes are copied to where those of the one before were. So a batch is written by copying one column.

Of who took all of it the kernel says nothing, so that most batches have no results to read. A client whose
kernel takes nothing is told apart at once (``MSG_DONTWAIT``): nothing is left in the ring. Kernels before
6.1, and those and containers that forbid io_uring, have no ring to give; who asks then gets an OSError.
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
from collections.abc import Iterator
from typing import Any

# As the kernel's include/uapi/linux/io_uring.h has them; the numbers of the calls are the same everywhere.
_SETUP, _ENTER = 425, 426
_ENTRIES_ARE_AT = 0x10000000  # IORING_OFF_SQES
_SEND = 26  # IORING_OP_SEND
_SUCCESS_IS_SILENT = 64  # IOSQE_CQE_SKIP_SUCCESS
_PARAMETERS, _ENTRY, _RESULT = 120, 64, 16  # bytes
_WRAP = 0xFFFFFFFF
# Who takes a part only has failed, which is what is said of it: MSG_WAITALL waits for nothing here.
_FLAGS = _socket.MSG_DONTWAIT | _socket.MSG_NOSIGNAL | getattr(_socket, "MSG_WAITALL", 0)

# So many sends are one call, half a millisecond of work: between two of them somebody else may have a turn.
BATCH = 64
# Bytes of what is sent at most. Of more the call itself is the smaller part, and to copy it is the larger.
LARGEST = 64 * 1024


class SendRing:
    def __init__(self) -> None:
        """OSError where there is none to be had, or where it does not do what it should."""
        if not sys.platform.startswith("linux"):
            raise OSError(errno.ENOSYS, "io_uring is Linux's")
        self.is_open = True
        self._syscall: Any = ctypes.CDLL(None, use_errno=True).syscall
        self._syscall.restype, self._syscall.argtypes = ctypes.c_long, [ctypes.c_long] * 5
        parameters = bytearray(_PARAMETERS)
        self._fd = self._call(_SETUP, BATCH, _address(parameters), 0, 0)
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

        self._data: bytes | None = None
        self._bytes = memoryview(bytearray(LARGEST))  # which can never be moved by too many of them
        table = memoryview(mmap.mmap(self._fd, BATCH * _ENTRY, offset=_ENTRIES_ARE_AT))
        ints, longs = table.cast("i"), table.cast("Q")
        table[::_ENTRY] = bytes([_SEND]) * BATCH
        table[1::_ENTRY] = bytes([_SUCCESS_IS_SILENT]) * BATCH
        ints[7::16] = memoryview(array("i", [_FLAGS]) * BATCH)
        longs[2::8] = memoryview(array("Q", [_address(self._bytes)]) * BATCH)
        longs[4::8] = memoryview(array("Q", range(BATCH)))  # by which a result is known again
        self._descriptors, self._sizes = ints[1::16], ints[6::16]

    def _check(self) -> None:
        """Whether this kernel sends, and says what became of it."""
        sender, reader = _socket.socketpair()  # not gevent's, which would wait
        with contextlib.closing(sender), contextlib.closing(reader):
            sender.setsockopt(_socket.SOL_SOCKET, _socket.SO_SNDBUF, 4096)
            both, large = array("i", [sender.fileno(), -1]), b"x" * LARGEST
            found = [self.send(b"ok", both, 0, 2), self.send(large, both, 0, 1), self.send(large, both, 0, 1)]
            read = reader.recv(2 * LARGEST, _socket.MSG_DONTWAIT)
            part = len(read) - len(b"ok")
            as_expected = [[(1, -errno.EBADF)], [(0, part)], [(0, -errno.EAGAIN)]]
            if found != as_expected or not 0 < part < LARGEST or not read.startswith(b"okx"):
                raise OSError(errno.ENOSYS, "io_uring does not send here as it should")

    def fileno(self) -> int:
        """Negative when it is closed."""
        return self._fd

    def close(self) -> None:
        self.is_open = False
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    # A batch

    def send(self, data: bytes, descriptors: array[int], first: int, end: int) -> list[tuple[int, int]]:
        """Send to the descriptors from the ``first`` to before ``end``, BATCH of them at most; a negative one
        stands for nobody.

        Who did not take all of it, by place: how many bytes it took, or the negative number of an error.
        """
        if data is not self._data:
            self._load(data)
        words, count = self._words, end - first
        entry = words[self._tail] % BATCH
        chosen, till_wrap = memoryview(descriptors)[first:end], BATCH - entry
        if count <= till_wrap:
            self._descriptors[entry : entry + count] = chosen
        else:
            self._descriptors[entry:] = chosen[:till_wrap]
            self._descriptors[: count - till_wrap] = chosen[till_wrap:]
        words[self._tail] = (words[self._tail] + count) & _WRAP
        others = self._submit(first, end)
        if words[self._first_result] != words[self._last_result]:
            others += [(first + (which - entry) % BATCH, result) for which, result in self._results()]
        return others

    def _load(self, data: bytes) -> None:
        size = len(data)
        self._bytes[:size] = data
        if self._data is None or size != len(self._data):
            self._sizes[:] = memoryview(array("i", [size]) * BATCH)
        self._data = data

    def _submit(self, first: int, end: int) -> list[tuple[int, int]]:
        """Have the entries sent; who was not sent to at all, with the number of the error that was met."""
        while first < end:
            try:
                first += self._call(_ENTER, self._fd, end - first, 0, 0)
            except InterruptedError:
                continue
            except OSError as problem:
                self.close()  # it is not to be trusted any more
                return [(place, -(problem.errno or errno.EIO)) for place in range(first, end)]
        return []

    def _results(self) -> Iterator[tuple[int, int]]:
        """Which entry, and what became of it."""
        words = self._words
        while (number := words[self._first_result]) != words[self._last_result]:
            at = self._results_at + number % self._result_count * _RESULT
            which, result = struct.unpack_from("=Qi", self._memory, at)
            words[self._first_result] = (number + 1) & _WRAP
            yield which, result

    def _call(self, *arguments: int) -> int:
        result: int = self._syscall(*arguments)
        if result < 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))
        return result


def _address(memory: bytearray | memoryview) -> int:
    return ctypes.addressof(ctypes.c_char.from_buffer(memory))
