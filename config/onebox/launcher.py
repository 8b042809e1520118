"""Become another program, but end when the parent ends, and as somebody else if PostgreSQL needs it.

    python -I -S launcher.py PARENT_PID DEATH_SIGNAL IDENTITY PROGRAM [ARGUMENT ...]

It runs as a script, before anything of ours can be imported, so it leans on the standard library
alone. IDENTITY is `self`, `namespace` or `nobody` (see `identity.py` for why).
"""

import ctypes
import os
import pwd
import signal
import sys
from collections.abc import Callable
from pathlib import Path

PR_SET_PDEATHSIG = 1


def stay() -> None:
    """Change nothing."""


def enter_namespace() -> None:
    """Appear as nobody to the program, while its files still belong to the real user."""
    nobody = pwd.getpwnam("nobody").pw_uid  # initdb looks its user up by name
    uid, gid = os.getuid(), os.getgid()
    os.unshare(os.CLONE_NEWUSER)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{nobody} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{nobody} {gid} 1")


def drop_to_nobody() -> None:
    """Give up root for good."""
    user = pwd.getpwnam("nobody")
    os.setgroups([])
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)


BECOME: dict[str, Callable[[], None]] = {
    "self": stay,
    "namespace": enter_namespace,
    "nobody": drop_to_nobody,
}


def end_with_parent(parent: int, death_signal: int) -> None:
    """Ask the kernel for `death_signal` when the parent dies. Linux only; elsewhere nothing happens.

    The setting does not survive a change of identity, so this comes after it. The parent may have
    died before the call, in which case no signal will ever come: hence the second look.
    """
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("The command that started this program is gone.")


def main() -> None:
    """Do the three things in the only order that works, then hand over."""
    parent, death_signal, identity, *argv = sys.argv[1:]
    BECOME[identity]()
    end_with_parent(int(parent), int(death_signal))
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and exec would pass that on
    os.execvp(argv[0], argv)  # noqa: S606 - becoming a program is the purpose


if __name__ == "__main__":
    main()
