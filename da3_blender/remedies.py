"""Which button helps against which failure: shown beside the failure's sentence wherever that is shown. No bpy."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Remedy:
    """A button. operator: bl_idname; label: of the button; properties: to set on the operator."""

    operator: str
    label: str
    properties: dict[str, object] = field(default_factory=dict[str, object])


ALLOW_ONLINE = Remedy("extensions.userpref_allow_online", "Allow Online Access")
LOWER_RESOLUTION = Remedy("da3.lower_resolution", "Lower Detail")
PREFERENCES = Remedy("da3.show_preferences", "Show Preferences")
INSTALL = Remedy("da3.install_runtime", "Install Runtime")
REPAIR = Remedy("da3.install_runtime", "Repair Runtime", {"repair": True})
INSTALL_PACKAGE = Remedy("da3.install_package", "Install in This Python")
TEST = Remedy("da3.test_runtime", "Test Runtime")

REMEDIES = {
    "offline": ALLOW_ONLINE,
    "out-of-memory": LOWER_RESOLUTION,
    "device-missing": PREFERENCES,
    # the runtime: what it is and where it comes from
    "runtime-missing": PREFERENCES,
    "python-missing": PREFERENCES,
    "wrong-python": PREFERENCES,
    "package-missing": INSTALL_PACKAGE,
    "command-unreadable": PREFERENCES,
    "remote-unreachable": PREFERENCES,
    "remote-command": PREFERENCES,
    "version-mismatch": PREFERENCES,
    "protocol-version": PREFERENCES,
    "unknown-message": PREFERENCES,
    "bad-message": PREFERENCES,
    "runtime-broken": REPAIR,
    "torch-without-gpu": REPAIR,
    "driver-too-old": REPAIR,
    "package-changed": REPAIR,
    # its installation
    "no-space": PREFERENCES,
    "no-network": PREFERENCES,
    "no-build": PREFERENCES,
    "uv-missing": PREFERENCES,
    "install-busy": PREFERENCES,
    "install-failed": INSTALL,
    "install-interrupted": INSTALL,
    "remove-failed": PREFERENCES,
    # its process
    "worker-start": TEST,
    "worker-silent": TEST,
    "worker-died": TEST,
    "worker-pipe": TEST,
    "worker-stalled": TEST,
    "wrong-answer": PREFERENCES,
    "not-a-frame": PREFERENCES,
    "truncated-frame": TEST,
    # models
    "folder-unusable": PREFERENCES,
}
"""Code of a Failure -> its Remedy."""

NO_REMEDY = frozenset(
    {
        # asked for
        "cancelled",
        "worker-killed",
        # the panel shows the buttons of what goes on or waits
        "busy",
        "nothing-waits",
        "result-waiting",
        # the photos: the list shows the sentence at the photo
        "no-photos",
        "photo-duplicate",
        "photo-empty",
        "photo-name-twice",
        "photo-too-large",
        "photo-too-small",
        "photo-unreadable",
        # a scene that was made before: its sentence tells what is in the way
        "bad-transform",
        "no-request",
        "other-photos",
        "scene-edited",
        "scene-gone",
        "scene-linked",
        "scene-shared",
        # settings of the same panel, or of a script
        "answer-unreadable",
        "bad-cameras",
        "bad-request",
        "cameras-missing",
        "cameras-unreadable",
        "device-unknown",
        "no-cameras",
        "no-rays",
        "output-unwritten",
        "precision-unknown",
        "preview-unwritten",
        # a checkpoint of one's own, and models: the list of models has their buttons
        "checkpoint-damaged",
        "checkpoint-mismatch",
        "checkpoint-missing",
        "checkpoint-pickle",
        "checkpoint-preset",
        "checkpoint-unknown",
        "download-broken",
        "download-running",
        "download-stalled",
        "hash-mismatch",
        "hub-address",
        "hub-answer",
        "hub-busy",
        "licence-not-accepted",
        "model-bundled",
        "model-gated",
        "model-in-use",
        "model-not-found",
        "model-refused",
        "model-unknown",
        # only installing the extension again helps, and that is Blender's own
        "wheel-damaged",
        "wheel-missing",
        # faults of a program: the sentence asks to report them
        "bad-head",
        "bad-job-id",
        "bad-prediction",
        "frame-too-long",
        "internal",
        "not-finite",
        "unexpected-message",
    }
)
"""Codes that no button helps against, or whose button stands where they are shown."""


def remedy_of(code: str) -> Remedy | None:
    """The button against a failure, None where there is none."""
    return REMEDIES.get(code)
