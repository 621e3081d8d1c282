"""Every failure that there is: the code of each, and what kind of help there is against it.

A code is a string, the same in all languages. What happened, and what to do about it, say the sentences that a failure
is made with. docs/guide.md explains every code that an artist can meet, docs/worker_protocol.md those of the worker.
"""

from __future__ import annotations

from enum import Enum, auto


class Help(Enum):
    """What the add-on can offer where a failure is shown."""

    NONE = auto()
    """The sentence says it all, or the button stands where it is shown."""
    GO_ONLINE = auto()
    LOWER_DETAIL = auto()
    SETTINGS = auto()
    """Something in the add-on's preferences has to change."""
    INSTALL = auto()
    INSTALL_PACKAGE = auto()
    """The worker's package, into the Python that was chosen."""
    REPAIR = auto()
    TEST = auto()
    """Starts the worker and tells what it is."""


FAILURES = {
    # asked for
    "cancelled": Help.NONE,
    "worker-killed": Help.NONE,
    # the panel shows the buttons of what goes on or waits
    "busy": Help.NONE,
    "nothing-waits": Help.NONE,
    "result-waiting": Help.NONE,
    # the photos: the list shows the sentence at the photo
    "clip-unreadable": Help.NONE,
    "no-photos": Help.NONE,
    "photo-duplicate": Help.NONE,
    "photo-empty": Help.NONE,
    "photo-name-twice": Help.NONE,
    "photo-too-large": Help.NONE,
    "photo-too-small": Help.NONE,
    "photo-unreadable": Help.NONE,
    # settings of the same panel, or of a script
    "bad-cameras": Help.NONE,
    "bad-request": Help.NONE,
    "benchmark-failed": Help.NONE,
    "cameras-missing": Help.NONE,
    "cameras-unreadable": Help.NONE,
    "device-unknown": Help.NONE,
    "file-missing": Help.NONE,
    "no-cameras": Help.NONE,
    "no-rays": Help.NONE,
    "precision-unknown": Help.NONE,
    # memory and device
    "backend-missing": Help.SETTINGS,
    "needs-torch": Help.SETTINGS,
    "device-missing": Help.SETTINGS,
    "precision-missing": Help.SETTINGS,
    "out-of-memory": Help.LOWER_DETAIL,
    # a scene that was made before: its sentence tells what is in the way
    "bad-transform": Help.NONE,
    "no-lens": Help.NONE,
    "no-projection": Help.NONE,
    "no-request": Help.NONE,
    "other-photos": Help.NONE,
    "scene-edited": Help.NONE,
    "scene-gone": Help.NONE,
    "scene-linked": Help.NONE,
    "scene-shared": Help.NONE,
    # export: the sentence tells what to show, or to choose instead
    "export-lens": Help.NONE,
    "export-nothing": Help.NONE,
    # exact pictures of splats: the sentence tells what to set
    "gpu-memory": Help.NONE,
    "no-camera": Help.NONE,
    "no-gpu": Help.NONE,
    "no-splats": Help.NONE,
    "picture-too-large": Help.NONE,
    # files of splats: the sentence tells what is wrong with one
    "splats-format": Help.NONE,
    "splats-unreadable": Help.NONE,
    # a checkpoint of one's own, and models: the list of models has their buttons
    "checkpoint-damaged": Help.NONE,
    "checkpoint-mismatch": Help.NONE,
    "checkpoint-missing": Help.NONE,
    "checkpoint-pickle": Help.NONE,
    "checkpoint-preset": Help.NONE,
    "checkpoint-unknown": Help.NONE,
    "download-broken": Help.NONE,
    "download-running": Help.NONE,
    "download-stalled": Help.NONE,
    "folder-unusable": Help.SETTINGS,
    "hash-mismatch": Help.NONE,
    "hub-address": Help.NONE,
    "hub-answer": Help.NONE,
    "hub-busy": Help.NONE,
    "licence-not-accepted": Help.NONE,
    "model-bundled": Help.NONE,
    "model-gated": Help.NONE,
    "model-in-use": Help.NONE,
    "model-not-found": Help.NONE,
    "model-refused": Help.NONE,
    "model-unknown": Help.NONE,
    "no-network": Help.SETTINGS,
    "no-space": Help.SETTINGS,
    "offline": Help.GO_ONLINE,
    # the runtime: what it is and where it comes from
    "command-unreadable": Help.SETTINGS,
    "driver-too-old": Help.REPAIR,
    "onnxruntime-without-gpu": Help.REPAIR,
    "package-changed": Help.REPAIR,
    "package-missing": Help.INSTALL_PACKAGE,
    "python-missing": Help.SETTINGS,
    "remote-command": Help.SETTINGS,
    "remote-unreachable": Help.SETTINGS,
    "runtime-broken": Help.REPAIR,
    "runtime-missing": Help.SETTINGS,
    "torch-without-gpu": Help.REPAIR,
    "wrong-python": Help.SETTINGS,
    # its installation
    "install-busy": Help.SETTINGS,
    "install-failed": Help.INSTALL,
    "install-interrupted": Help.INSTALL,
    "no-build": Help.SETTINGS,
    "remove-failed": Help.SETTINGS,
    "uv-missing": Help.SETTINGS,
    # only installing the extension again helps, and that is Blender's own
    "wheel-damaged": Help.NONE,
    "wheel-missing": Help.NONE,
    # its process
    "truncated-frame": Help.TEST,
    "worker-died": Help.TEST,
    "worker-pipe": Help.TEST,
    "worker-silent": Help.TEST,
    "worker-stalled": Help.TEST,
    "worker-start": Help.TEST,
    # another version, or another program
    "bad-message": Help.SETTINGS,
    "not-a-frame": Help.SETTINGS,
    "protocol-version": Help.SETTINGS,
    "unknown-message": Help.SETTINGS,
    "version-mismatch": Help.SETTINGS,
    "wrong-answer": Help.SETTINGS,
    # faults of a program: the sentence asks to report them
    "bad-head": Help.NONE,
    "bad-job-id": Help.NONE,
    "bad-prediction": Help.NONE,
    "frame-too-long": Help.NONE,
    "internal": Help.NONE,
    "not-finite": Help.NONE,
    "unexpected-message": Help.NONE,
    # only on a command line
    "answer-unreadable": Help.NONE,
    "blend-unreadable": Help.NONE,
    "dataset-broken": Help.NONE,
    "dataset-missing": Help.NONE,
    "export-unreadable": Help.NONE,
    "output-exists": Help.NONE,
    "output-unwritten": Help.NONE,
    "preview-unwritten": Help.NONE,
    "run-missing": Help.NONE,
    "teacher-missing": Help.NONE,
    "training-failed": Help.NONE,
}
"""Code -> what helps against it."""
