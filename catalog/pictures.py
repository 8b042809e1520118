"""Pictures of rewards: whatever is uploaded is drawn anew, so that no metadata and no trick of a file survives.

Each is kept as WebP in two sizes under a name made of its content; a name therefore never changes what it shows.
"""

import hashlib
import re
import warnings
from datetime import datetime
from io import BytesIO
from typing import Any

from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils.translation import gettext as _
from PIL import Image, ImageCms, ImageOps

from loyalty.problems import Fault, Problem

FORMATS = ("JPEG", "PNG", "WEBP")
BYTES_MAX = 10 * 1024 * 1024
# A photograph of 40 megapixels needs 120 MB while it is drawn.
PIXELS_MAX = 40_000_000
SIDE_MIN = 64
LARGE, SMALL = 1200, 480
# The small one stands on every list, and a phone draws it at half its width.
QUALITY = {LARGE: 82, SMALL: 70}
FOLDER = "rewards/"
NAME = re.compile(r"rewards/[0-9a-f]{32}\.webp")


def keep(upload: File[Any]) -> str:
    """Draw the upload anew in both sizes; the name of the large one. Raises Problem for what is no picture of ours."""
    if (upload.size or 0) > BYTES_MAX:
        raise _refused(_("The file is larger than %(size)s MB. Save the picture smaller.") % {"size": BYTES_MAX >> 20})
    upload.seek(0)
    picture = _opened(upload.read(BYTES_MAX + 1))
    large = _drawn(picture, LARGE)
    name = f"{FOLDER}{hashlib.sha256(large).hexdigest()[:32]}.webp"
    for at, content in ((name, large), (small(name), _drawn(picture, SMALL))):
        if not default_storage.exists(at):
            default_storage.save(at, ContentFile(content))
    return name


def older_than(moment: datetime) -> list[str]:
    """The names of the pictures that were uploaded before this moment; nothing that is not ours."""
    try:
        _folders, files = default_storage.listdir(FOLDER)
    except FileNotFoundError:
        return []
    names = [f"{FOLDER}{file}" for file in files if NAME.fullmatch(f"{FOLDER}{file}")]
    return [name for name in names if default_storage.get_modified_time(name) < moment]


def remove(name: str) -> None:
    """Both sizes."""
    for at in (small(name), name):
        default_storage.delete(at)


def small(name: str) -> str:
    """The name of the same picture in the small size."""
    return name.replace(".webp", f"-{SMALL}.webp")


def is_kept(name: str) -> bool:
    """Whether a name that came from outside is one of ours, and there."""
    return bool(NAME.fullmatch(name)) and default_storage.exists(name)


def addresses(name: str | None) -> dict[str, str] | None:
    """Where the two sizes are served; None where there is no picture."""
    return {"large": default_storage.url(name), "small": default_storage.url(small(name))} if name else None


def _opened(content: bytes) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture: Image.Image = Image.open(BytesIO(content), formats=FORMATS)
            if picture.width * picture.height > PIXELS_MAX:
                raise _refused(_("The picture has more than 40 million pixels. Save it smaller."))
            if min(picture.size) < SIDE_MIN:
                raise _refused(_("The picture is smaller than %(side)s pixels.") % {"side": SIDE_MIN})
            if picture.mode in ("P", "PA", "1"):  # pens and palettes cannot be drawn smaller
                picture = picture.convert("RGBA")
            picture.thumbnail((LARGE, LARGE), Image.Resampling.LANCZOS)  # first: what follows copies
            return _upright(picture)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _refused(_("The picture has more than 40 million pixels. Save it smaller.")) from error
    except (OSError, SyntaxError, ValueError, EOFError, MemoryError, ImageCms.PyCMSError) as error:
        raise _refused(_("This file is no picture that can be read. Use JPEG, PNG or WebP.")) from error


def _upright(picture: Image.Image) -> Image.Image:
    """Turned as the camera was held, in the colours of the web, without anything else that the file said."""
    profile = picture.info.get("icc_profile")
    turned = ImageOps.exif_transpose(picture)
    turned = turned.convert("RGBA" if turned.has_transparency_data else "RGB")
    if profile and turned.mode == "RGB" and picture.mode == "RGB":
        wide = ImageCms.ImageCmsProfile(BytesIO(profile))
        turned = ImageCms.profileToProfile(turned, wide, ImageCms.createProfile("sRGB")) or turned
    plain = Image.new(turned.mode, turned.size)
    plain.paste(turned)
    return plain


def _drawn(picture: Image.Image, side: int) -> bytes:
    drawn = picture.copy()
    drawn.thumbnail((side, side), Image.Resampling.LANCZOS)
    out = BytesIO()
    drawn.save(out, "WEBP", quality=QUALITY[side], method=4)
    return out.getvalue()


def _refused(detail: str) -> Problem:
    return Problem("validation", detail, faults=[Fault("/picture", detail)])
