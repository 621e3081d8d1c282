"""A request's clip as a source of frames, whatever it is."""

from __future__ import annotations

from model_runtime.clips.film import Film, film_source
from model_runtime.clips.sequence import PhotoSequence, sequence_source
from model_runtime.contract.messages import JobError, Request
from model_runtime.contract.stored_files import open_stored


def open_clip(request: Request) -> Film | PhotoSequence:
    """The chosen frames of `request.clip`; both kinds are a `FrameSource`, and have `notes`.

    Raises JobError as `open_stored`, `film_source` and `sequence_source` do, and `bad-request` where there is no clip.
    """
    clip = request.clip
    if clip is None:
        raise JobError("bad-request", "The request holds no clip.", "Give a video, or frames.")
    if clip.file is None:
        return sequence_source(request.photos, clip)
    return film_source(open_stored(clip.file), clip)
