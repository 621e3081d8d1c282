"""Which button helps against which failure: shown beside the failure's sentence wherever that is shown. No bpy."""

from __future__ import annotations

from dataclasses import dataclass, field

from model_runtime.contract.failures import FAILURES, Help


@dataclass(frozen=True)
class Remedy:
    """A button. operator: bl_idname; label: of the button; properties: to set on the operator."""

    operator: str
    label: str
    properties: dict[str, object] = field(default_factory=dict[str, object])


PREFERENCES = Remedy("da3.show_preferences", "Show Preferences")
INSTALL = Remedy("da3.install_runtime", "Install Runtime")
REPAIR = Remedy("da3.install_runtime", "Repair Runtime", {"repair": True})

REMEDIES = {
    Help.GO_ONLINE: Remedy("extensions.userpref_allow_online", "Allow Online Access"),
    Help.LOWER_DETAIL: Remedy("da3.lower_resolution", "Lower Detail"),
    Help.SETTINGS: PREFERENCES,
    Help.INSTALL: INSTALL,
    Help.INSTALL_PACKAGE: Remedy("da3.install_package", "Install in This Python"),
    Help.REPAIR: REPAIR,
    Help.TEST: Remedy("da3.test_runtime", "Test Runtime"),
}


def remedy_of(code: str) -> Remedy | None:
    """The button against a failure, None where there is none or the code is of another version."""
    return REMEDIES.get(FAILURES.get(code, Help.NONE))
