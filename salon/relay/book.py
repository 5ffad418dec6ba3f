"""The session book as a process holds it: memory that outlives it, and the right to use it.

What is in it only the engine knows. Who has the lock on it is the media process: a successor that is started beside it waits here until
it is gone, however it goes, and no two ever write at the same time.
"""

import asyncio
import fcntl
import os
import threading

from salon.config.inherited import SESSION_BOOK


class SessionBook:
    """descriptor: of a memfd."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        # Inherited descriptors share one open file, and with it one lock; a lock of one's own needs a file opened by oneself.
        self._file = os.open(f"/proc/self/fd/{descriptor}", os.O_RDWR | os.O_CLOEXEC)

    @classmethod
    def new(cls) -> "SessionBook":
        return cls(new_memory())

    def take_at_once(self) -> bool:
        """False if another process has it."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    async def take(self) -> None:
        """Wait for it. The wait may be cancelled."""
        taken = asyncio.Event()
        loop = asyncio.get_running_loop()

        def wait() -> None:
            fcntl.flock(self._file, fcntl.LOCK_EX)
            loop.call_soon_threadsafe(taken.set)

        # Not of the loop's own threads: those would be waited for at the end of the process.
        threading.Thread(target=wait, name="session-book", daemon=True).start()
        await taken.wait()

    def give_up(self) -> None:
        fcntl.flock(self._file, fcntl.LOCK_UN)


def new_memory() -> int:
    """A descriptor, close-on-exec, of memory that is in no file system."""
    return os.memfd_create(SESSION_BOOK, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
