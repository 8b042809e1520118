"""Pictures that the merchant uploaded, as they were drawn anew: never changed under their name, so kept for good."""

from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest

from members.access import public

KEPT = "public, max-age=31536000, immutable"


@public
def picture(request: HttpRequest, name: str) -> FileResponse:
    """`name` is of the form that the address allows, so it leads nowhere else."""
    try:
        file = default_storage.open(f"rewards/{name}")
    except FileNotFoundError as error:
        raise Http404 from error
    return FileResponse(file, content_type="image/webp", headers={"Cache-Control": KEPT})
