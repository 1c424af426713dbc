"""Files of a deployment: private, written whole or not at all, and removed only from inside the deployment's folder."""

import os
import shutil
import tempfile
from pathlib import Path

from alien_iac.errors import InvalidInput


def folder(path: Path) -> None:
    """Make the folder where there is none, and those above it, all of them mode 0700."""
    if not path.parent.exists():
        folder(path.parent)
    path.mkdir(mode=0o700, exist_ok=True)


def write_private(path: Path, data: bytes) -> None:
    """Put `data` in the file, mode 0600, in one step: a reader sees the old content or the new."""
    draft = _draft(path, data)
    draft.replace(path)


def add_private(path: Path, data: bytes) -> bool:
    """Make the file, mode 0600, in one step, unless it is there already. Returns whether it was made."""
    if path.exists():
        return False
    draft = _draft(path, data)
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        return False
    finally:
        draft.unlink()
    return True


def _draft(path: Path, data: bytes) -> Path:
    """The data in a new file beside `path`, safely on the disk."""
    folder(path.parent)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return Path(name)


def outside(path: str, root: Path) -> str | None:
    """Why the path is not one inside the deployment's folder; None where it is one."""
    if not Path(path).is_absolute():
        return f"{path!r} is not an absolute path"
    if ".." in Path(path).parts:
        return f"{path!r} has '..' in it"
    place = Path(path)
    if place == root or root not in place.parents:
        return f"{path!r} is not inside the deployment's folder {str(root)!r}"
    return None


def remove(path: Path, root: Path) -> None:
    """Remove a file or a folder with all that is in it, and the folders above that are empty then, up to `root`.

    Raises InvalidInput where the path is not inside `root`, or leads out of it over a symbolic link.
    """
    reason = outside(str(path), root)
    if reason is None and (path.is_symlink() or root.resolve() not in path.resolve().parents):
        reason = f"{str(path)!r} is a symbolic link, or below one that leads out of {str(root)!r}"
    if reason is not None:
        raise InvalidInput(f"nothing was removed: {reason}", hint="look at it, and remove it by hand if you want that")
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    remove_empty(path.parent, root)


def remove_empty(folder: Path, root: Path) -> None:
    """Remove the folder and those above it, up to and with `root`, as far as they are empty."""
    while folder == root or root in folder.parents:
        try:
            folder.rmdir()
        except FileNotFoundError:
            pass  # another removal was faster, and the folder above may be ours to remove
        except OSError:
            return
        folder = folder.parent
