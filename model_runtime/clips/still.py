"""Whether a clip's camera did not move, though things may have moved before it."""

from __future__ import annotations

from model_runtime.clips.key_frames import TELL_MOTION, Choice

LARGEST = 0.0008
"""Longest sides that the picture as a whole may move: 0.8 of 1000 pixels. Compression and grain leave a tenth of that;
a move so small tells nothing of a room."""

LEAST_TOGETHER = 0.5
"""Share of the matches that do not move: most of the picture is at rest."""


def is_still(choice: Choice, motion: TELL_MOTION) -> bool:
    """Whether the picture as a whole is where it was in all frames, told from the motions by which key frames were
    chosen and from the first key frame to the others."""
    moves = list(choice.motions.values())
    if any(move.common > LARGEST or move.together < LEAST_TOGETHER for move in moves):
        return False
    first = choice.keys[0]
    return all(
        move.common <= LARGEST and move.together >= LEAST_TOGETHER
        for move in (motion(first, key) for key in choice.keys[1:])
    )
