"""An object of storage as a download."""

import io
from collections.abc import Iterator
from typing import BinaryIO
from urllib.parse import quote

from fastapi.responses import FileResponse, Response, StreamingResponse

from cluster.storage import storage

# A bucket is asked for each piece.
_PIECE_BYTES = 4 * 2**20


def stored_file(key: str, filename: str, media_type: str) -> Response:
    """An object, with its length said beforehand; memory is flat."""
    if path := storage().path(key):
        return FileResponse(path, filename=filename, media_type=media_type)
    # Opened here, so that what is wrong with that is an error and no download that breaks off.
    file = storage().open(key)
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    quoted = quote(filename)
    name = f'filename="{filename}"' if quoted == filename else f"filename*=utf-8''{quoted}"
    headers = {"content-length": str(size), "content-disposition": f"attachment; {name}"}
    return StreamingResponse(_pieces(file), headers=headers, media_type=media_type)


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while piece := file.read(_PIECE_BYTES):
            yield piece
