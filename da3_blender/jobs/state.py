"""Where a job is on its way from request to placed result, and what the panel shows of it. No bpy."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from model_runtime.contract.messages import Failure

from ..plan.clip_plan import ClipFiles
from ..plan.scene_plan import PlanSettings, ScenePlan


@dataclass(frozen=True)
class JobTarget:
    """Where a result goes.

    scene_uid: `session_uid` of the scene; scene_name: what sentences call it. photo_names: as in the request.
    photo_paths: one per photo, for the cameras' backgrounds; photo_images: `session_uid` of the image of each that is
    packed in the .blend, 0 for the others. collection_id: `da3_id` of the result to update, or empty for a new one.
    file_session: which opened file it belongs to; `submit` fills it in. clip: where the clip is, None of
    photos; its frames are no photo_names. set_frame_range: whether the scene's frame range becomes the clip's.
    """

    name: str
    scene_uid: int
    scene_name: str
    photo_names: tuple[str, ...] = ()
    photo_paths: tuple[Path | None, ...] = ()
    photo_images: tuple[int, ...] = ()
    plan_settings: PlanSettings = field(default_factory=PlanSettings)
    collection_id: str = ""
    request_text: str = ""
    file_session: int = -1
    clip: ClipFiles | None = None
    set_frame_range: bool = False


@dataclass(frozen=True, eq=False)
class Result:
    """A finished plan and where it should go."""

    plan: ScenePlan
    target: JobTarget


@dataclass(frozen=True)
class Idle:
    """No job runs, and no result waits."""


@dataclass(frozen=True)
class Reading:
    """The photos are read, in a thread."""

    target: JobTarget


@dataclass(frozen=True)
class Asking:
    """The worker computes. worker_job: what it calls the job."""

    target: JobTarget
    worker_job: str


@dataclass(frozen=True)
class Planning:
    """The scene of the worker's answer is planned, in a thread."""


@dataclass(frozen=True)
class Placing:
    """The result is to be written as soon as Blender lets it."""

    result: Result


@dataclass(frozen=True)
class Waiting:
    """No job runs, but the last one's result could not be placed. reason: why, as a sentence."""

    result: Result
    reason: str


@dataclass(frozen=True)
class Stopping:
    """No job runs, but the worker is still at the one that was cancelled `since`, by `time.monotonic`."""

    since: float


Step = Idle | Reading | Asking | Planning | Placing | Waiting | Stopping
"""Where the manager is, from a job's start to its end."""


@dataclass
class JobState:
    """What the panel shows.

    name: of the scene that is made. said: the last sentence about it. silence: seconds that the worker has given no
    sign of life, 0 while that is nothing to tell. seconds_left: None while nobody can tell. failure: why the last
    thing asked for did not work. placed: `da3_id` of the last result that was placed. updates: that of the result
    which this job, or the last one, updates; empty where it makes a new one.
    """

    step: Step = Idle()
    name: str = ""
    fraction: float = 0.0
    said: str = ""
    silence: int = 0
    seconds_left: float | None = None
    failure: Failure | None = None
    placed: str = ""
    updates: str = ""

    @property
    def running(self) -> bool:
        return isinstance(self.step, Reading | Asking | Planning | Placing)

    @property
    def waiting(self) -> Waiting | None:
        return self.step if isinstance(self.step, Waiting) else None

    @property
    def sentence(self) -> str:
        """What goes on."""
        return f"The worker has given no sign of life for {self.silence} seconds." if self.silence else self.said
