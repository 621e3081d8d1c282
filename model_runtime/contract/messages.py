"""What the add-on and the worker say to each other: plain frozen data, standard library and numpy only.

A `Request` holds everything about a job, a `Prediction` everything about its answer. Nothing here
does any work; `model_runtime.contract.pipe` turns these into bytes and back.

Conventions (see docs/conventions.md): OpenCV cameras (x right, y down, z forward), extrinsics are
world-to-camera, intrinsics are in pixels of the upright original photo with pixel centres at +0.5
(so the middle of a photo W pixels wide is cx = W / 2), quaternions are wxyz.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from model_runtime.contract.lens import Lens

PROTOCOL_VERSION = 9
HEARTBEAT_SECONDS = 5.0

CAMERA_SOURCES = ("auto", "given", "network", "rays", "features")
"""Where a job's cameras may come from; docs/cameras.md tells them apart. `auto`: `given` when the request carries
cameras; else, for a bundled checkpoint, `features` where they place at least half of the photos; else `network`."""

REFERENCE_VIEWS = ("saddle_balanced", "saddle_sim_range", "middle", "first")
LENSES = ("auto", "pinhole", "k1", "k1k2", "brown", "fisheye")
"""What lenses may be where features solve them: `auto` takes as much freedom as the photos bear out, the others say it:
none, Brown-Conrady's k1, its k1 and k2, all of it (k1, k2, p1, p2, k3), or a fisheye's (k1 to k4)."""

PRECISIONS = ("auto", "float32", "bfloat16")
BACKENDS = ("auto", "torch", "onnx")
"""What runs the network: PyTorch or ONNX Runtime. `auto`: PyTorch where the worker has it."""

REFINE_DEPTH = ("auto", "on", "off")
"""Whether depth is made to agree between photos that show the same things. `auto`: where the cameras are known better
than the network's own (given, features or refined); `on`: whatever the cameras come from."""


@dataclass(frozen=True)
class StoredFile:
    """A file that is not in the message: the worker reads it from `path` where that is there, of this size and hash, on
    its own machine, too; else from its store, into which the other side sends it once, in parts (`SendPart`).

    sha256: of all of it, in hexadecimal digits. size: bytes.
    """

    sha256: str
    size: int
    path: str = ""


@dataclass(frozen=True, eq=False)
class Photo:
    """One photo: the bytes of its file, or where it is stored, so that a remote worker needs no shared disk.

    `name` is what sentences call it (usually the file name); names are unique within a request.
    """

    name: str
    data: bytes = b""
    file: StoredFile | None = None


@dataclass(frozen=True)
class Clip:
    """What a moving camera filmed: a film in `file`, or the request's photos, in their order, as its frames.

    name: what sentences call it. first, last, step: which frames of the film, by their numbers from 0; all to the end
    where `last`, the last one, is None. numbers, rate: of photos, the frame number of each and how many frames a second
    there are; a film tells its own.
    """

    name: str
    file: StoredFile | None = None
    first: int = 0
    last: int | None = None
    step: int = 1
    numbers: tuple[int, ...] = ()
    rate: float = 24.0


@dataclass(frozen=True, eq=False)
class Cameras:
    """Known cameras, one per photo and in the order of the photos: NaN extrinsics where a photo's pose is not known,
    NaN intrinsics where its lens is not. A known pose comes with its lens.

    extrinsics: [N,4,4] float64, world-to-camera (OpenCV), any similarity frame.
    intrinsics: [N,3,3] float64, pixels of the upright original photos.
    lenses: those that bend lines, None for a photo without; empty where none does. Their own intrinsics are the same.
    """

    extrinsics: np.ndarray
    intrinsics: np.ndarray
    lenses: tuple[Lens | None, ...] = ()

    @property
    def has_poses(self) -> bool:
        """Whether any photo's pose is known, and not lenses alone."""
        return not bool(np.isnan(self.extrinsics).all())


@dataclass(frozen=True, eq=False)
class ColmapFile:
    """A file of a COLMAP model: `cameras`, `images` or `points3D` with `.bin` or `.txt`, and what is in it."""

    name: str
    data: bytes


@dataclass(frozen=True, eq=False)
class ColmapModel:
    """A COLMAP model that knows the photos' cameras: its list of cameras, its list of images, and where it has one its
    list of points, all .bin or all .txt. The worker finds each photo among the images by name.

    chosen: what its folder is called, where it was one of several.
    """

    files: tuple[ColmapFile, ...]
    chosen: str = ""


@dataclass(frozen=True)
class MeshSettings:
    """How the depth maps of all photos are fused into one surface.

    edge_angle: degrees; depth that changes as on a surface seen flatter than this, but only for a few pixels, is left
        out (`model_runtime.contract.depth_edges`). 0 keeps all.
    confidence_threshold: 0..1, share of the least sure pixels of all photos that is left out.
    detail: cells of the field along the longest side of what the photos show; memory and time grow with its square.
    """

    edge_angle: float = 10.0
    confidence_threshold: float = 0.1
    detail: int = 256


@dataclass(frozen=True, eq=False)
class Request:
    """One job: photos in, a `Prediction` out.

    checkpoint: a catalogue name (`da3-tiny`, `da3-small`, ...) or a path the worker can read.
    resolution: longest side in pixels that the network sees; None takes the checkpoint's own.
    camera_source: one of CAMERA_SOURCES.
    refine: whether the network's cameras are made to agree with features of the photos, where that makes them better.
    refine_depth: one of REFINE_DEPTH.
    lens: one of LENSES.
    gaussians: whether to return Gaussian splats.
    improve_splats: whether splats are one layer of all photos, made to look like them by a short optimisation, in
        place of those of the network or of each photo.
    mesh: how to fuse one surface from all photos; None for none.
    colmap: the photos' cameras in another form than `cameras`; the world is then COLMAP's.
    device: `auto`, `cpu`, `mps`, `cuda` or `cuda:N`.
    clip: what one moving camera filmed; `photos` is empty where it is a film. Views are then of its key frames.
    splat_budget: the most splats to return; of more an even choice is made.
    backend: one of BACKENDS.
    rays: whether views are to come with the network's own ray maps.
    """

    photos: tuple[Photo, ...]
    checkpoint: str = "da3-tiny"
    resolution: int | None = None
    cameras: Cameras | None = None
    camera_source: str = "auto"
    reference_view: str = "saddle_balanced"
    gaussians: bool = True
    device: str = "auto"
    precision: str = "auto"
    refine: bool = False
    mesh: MeshSettings | None = None
    colmap: ColmapModel | None = None
    refine_depth: str = "auto"
    lens: str = "auto"
    improve_splats: bool = False
    clip: Clip | None = None
    splat_budget: int = 2_000_000
    backend: str = "auto"
    rays: bool = False

    @property
    def has_poses(self) -> bool:
        """Whether it says of any photo where it was taken."""
        return self.colmap is not None or (self.cameras is not None and self.cameras.has_poses)


@dataclass(frozen=True, eq=False)
class View:
    """What is known of one photo. Depth maps cover the whole upright photo at the network's resolution.

    name, photo_size: the photo's name and its upright (width, height) in pixels.
    depth: [h,w] float32, distance along the camera's z axis, in units of the prediction's world.
    confidence: [h,w] float32, >= 1, larger is surer: the network's own, or where depth was refined how well the photos
        agree.
    sky: [h,w] bool; all False where the checkpoint does not tell sky.
    color: [h,w,3] uint8, the photo at the depth map's size, sRGB-encoded.
    extrinsics: [4,4] float64, world-to-camera.
    intrinsics: [3,3] float64, in pixels of the upright original photo (photo_size), not of the depth map.
    ray: [rh,rw,6] float32 or None, the network's own ray map over the whole photo: direction (not unit
        length) then origin, in the prediction's world frame, such that a point is origin + depth * direction.
    ray_confidence: [rh,rw] float32 or None. Both are None unless `Request.rays` asked for them.
    plate: file bytes (JPEG or PNG) of the upright, opaque, 8-bit sRGB photo where the photo's own file would not
        show like that in Blender (EXIF rotation, CMYK, RAW, ...); empty where the file itself is right, as OpenEXR is,
        which Blender shows scene-linear. A memoryview where the view lies in a file.
    camera_source: where this view's camera comes from, as in `Prediction.camera_source`; photos that features leave
        out have the network's, photos without a given camera are placed by `features`.
    opaque: [h,w] bool, False where the photo is transparent: nothing is known there, whatever the maps say. None where
        all of it is opaque.
    repeated: [h,w] bool, True where another view shows the same point better: without them the views together are one
        surface. None where nothing is known of that.
    lens: the lens that the photo was taken with, where it bends lines; None for a pinhole. `plate` then shows the
        photo straightened, as a pinhole sees it, and `photo_size`, `intrinsics` and all maps are of that straight
        picture (`contract.lens.straight_camera`), which is larger than the photo; what lies outside of the photo is
        not `opaque`. That of an OpenEXR photo is OpenEXR, scene-linear, with its alpha.
    match_error: median distance in pixels of the original photo between its features and the projections of their
        points; None where there are none.
    frame: the number of the clip's frame that this is; None of a photo.
    """

    name: str
    photo_size: tuple[int, int]
    depth: np.ndarray
    confidence: np.ndarray
    sky: np.ndarray
    color: np.ndarray
    extrinsics: np.ndarray
    intrinsics: np.ndarray
    ray: np.ndarray | None = None
    ray_confidence: np.ndarray | None = None
    plate: bytes = b""
    camera_source: str = ""
    opaque: np.ndarray | None = None
    repeated: np.ndarray | None = None
    lens: Lens | None = None
    match_error: float | None = None
    frame: int | None = None

    @property
    def shown(self) -> np.ndarray:
        """[h,w] bool: pixels that show a thing, being neither sky nor transparent."""
        return ~self.sky if self.opaque is None else self.opaque & ~self.sky

    @property
    def usable(self) -> np.ndarray:
        """[h,w] bool: pixels that stand for a surface: those shown whose depth is a number and before the camera."""
        return self.shown & np.isfinite(self.depth) & (self.depth > 0)

    @property
    def map_intrinsics(self) -> np.ndarray:
        """[3,3] float64: `intrinsics` in pixels of the depth map."""
        height, width = self.depth.shape
        return np.diag((width / self.photo_size[0], height / self.photo_size[1], 1.0)) @ self.intrinsics


@dataclass(frozen=True, eq=False)
class Gaussians:
    """Splats of all views, G of them, in the prediction's world frame.

    means: [G,3] float32. scales: [G,3] float32, standard deviations (linear, not log).
    rotations: [G,4] float32, unit quaternions wxyz. opacities: [G] float32 in 0..1 (not logits).
    harmonics: [G,3,K] float32, K = (degree + 1) ** 2, 3DGS real basis: colour = 0.5 + sum(basis * harmonics).
    confidence: [G] float32, that of the pixel each splat came from. view_index: [G] int32 into Prediction.views.
    source: `network` (the checkpoint's Gaussian head), `surface` (flat ellipsoids laid on the depth maps, one for each
        pixel) or `merged` (one layer of all photos, which belongs to no pixels).
    repeated: [G] bool, `View.repeated` of the pixel each splat came from; None where nothing is known of that.
    """

    means: np.ndarray
    scales: np.ndarray
    rotations: np.ndarray
    opacities: np.ndarray
    harmonics: np.ndarray
    confidence: np.ndarray
    view_index: np.ndarray
    source: str
    repeated: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Mesh:
    """One surface fused from all views, in the prediction's world frame: V vertices, T triangles.

    vertices: [V,3] float32. triangles: [T,3] int32, counter-clockwise seen from where the cameras are.
    face_view: [T] int32, index into Prediction.views of the photo that shows a triangle best, -1 where none does.
    colors: [V,3] uint8, sRGB-encoded, of the photos that see each vertex.
    """

    vertices: np.ndarray
    triangles: np.ndarray
    face_view: np.ndarray
    colors: np.ndarray


FRAME_SOURCES = ("key", "placed", "turned", "between", "still", "network", "given")
"""Where the camera of a clip's frame comes from: it is a key frame that features placed; features place it against the
key frames, or turn it as these, where the camera only turned; it lies between its neighbours, as nothing tells more;
the camera stood still; the network; it was given."""


@dataclass(frozen=True, eq=False)
class CameraTrack:
    """The one camera of a clip, over F frames.

    numbers: [F] int64, rising: frames of the film from 0, or the numbers of the photos. seconds: [F] float64, when each
    is shown, after the film's frame 0. rate: frames a second, of a film whose frames do not last alike the usual.
    extrinsics: [F,4,4] float64, finite for every frame. photo_size: upright (width, height) of the clip.
    intrinsics: [3,3] float64, pixels of the upright clip: its lens's own, not that of a straightened picture.
    lens: where it bends lines; its own intrinsics are the same. sources: [F], each of FRAME_SOURCES.
    match_error: [F] float64, pixels of the clip, NaN where nothing tells. still: whether the camera did not move.
    """

    numbers: np.ndarray
    seconds: np.ndarray
    rate: float
    extrinsics: np.ndarray
    photo_size: tuple[int, int]
    intrinsics: np.ndarray
    sources: tuple[str, ...]
    match_error: np.ndarray
    lens: Lens | None = None
    still: bool = False


@dataclass(frozen=True)
class CheckpointInfo:
    """Which weights made a result and what they may be used for.

    licence: SPDX-like identifier (`Apache-2.0`, `CC-BY-NC-4.0`, `GPL-3.0-or-later`, or `unknown` for a user's own).
    commercial_use: True, False, or None when unknown.
    revision, sha256: which download it was, the repository's commit and the hash of the weights; empty where it was
        put there by hand.
    licence_accepted: when somebody accepted the licence of this download, as YYYY-MM-DD; empty where nobody was asked.
    """

    name: str
    preset: str
    licence: str
    commercial_use: bool | None
    revision: str = ""
    sha256: str = ""
    licence_accepted: str = ""


@dataclass(frozen=True)
class Failure:
    """Why a job has no result, or does without a photo.

    code: stable machine word; sentence: what happened; advice: what to do about it.
    """

    code: str
    sentence: str
    advice: str = ""
    log: str = ""


@dataclass(frozen=True)
class LeftOut:
    """A photo of the request that the prediction has no view of, and why."""

    name: str
    reason: Failure


@dataclass(frozen=True, eq=False)
class Prediction:
    """Everything about a finished job.

    views: of the request's photos, in their order, but for those in `left_out`.
    camera_source: where the cameras really came from: `given`, `network`, `rays`, `features`, or `refined` (the
        network's, adjusted to features); never `auto`.
    metric: True when the world's unit is the metre.
    settings: what the job ran with (resolution, device, precision, seconds, ...), JSON-able.
    notes: plain sentences the artist should see.
    match_error: median distance in pixels of the original photos between features and the projections of their
        common points; None where no features were matched.
    mesh: the fused surface; None where the request asked for none.
    left_out: photos that could not be used.
    track: of a clip, its camera in every frame; None of photos.
    views_sent: how many views were sent before, each as a `PredictedView`, in place of `views`, which is then empty.
    """

    views: tuple[View, ...]
    gaussians: Gaussians | None
    checkpoint: CheckpointInfo
    camera_source: str
    metric: bool = False
    settings: dict[str, object] = field(default_factory=dict[str, object])
    notes: tuple[str, ...] = ()
    match_error: float | None = None
    mesh: Mesh | None = None
    left_out: tuple[LeftOut, ...] = ()
    track: CameraTrack | None = None
    views_sent: int = 0


@dataclass(frozen=True, eq=False)
class PredictedView:
    """One view of the prediction that the same job ends with. index: its place among them."""

    index: int
    view: View


@dataclass(frozen=True)
class FindFile:
    """Asks how much of a file the worker has; the answer is `FileState`."""

    file: StoredFile


@dataclass(frozen=True, eq=False)
class SendPart:
    """The bytes of a file from `offset` on, which is where `FileState` said that they are missing; the answer is
    `FileState`."""

    file: StoredFile
    offset: int
    data: bytes


@dataclass(frozen=True)
class FileState:
    """received: bytes of the file that the worker has, from its start; where that is all, the hash was right."""

    sha256: str
    received: int


@dataclass(frozen=True)
class ListModels:
    """Asks which models of the catalogue are on the worker's machine; the answer is `Models`."""


@dataclass(frozen=True)
class DownloadModel:
    """Asks for a model of the catalogue (`model_runtime.contract.catalogue`) to be downloaded; the answer is `Models`.

    accepted_licence: the licence somebody accepted, as the catalogue names it; needed unless it is Apache-2.0.
    accepted_on: when, as YYYY-MM-DD; the worker's own date where empty.
    """

    name: str
    accepted_licence: str = ""
    accepted_on: str = ""


@dataclass(frozen=True)
class RemoveModel:
    """Asks for the files of a downloaded model to be deleted, whole or half; the answer is `Models`."""

    name: str


@dataclass(frozen=True)
class ModelState:
    """What of one model of the catalogue is on a machine.

    ready: it can be used now. bytes_here: of its weights, downloaded so far. bytes_needed: of its weights in all.
    path: its folder. revision, sha256, licence_accepted: as in `CheckpointInfo`.
    """

    name: str
    ready: bool
    bytes_here: int
    bytes_needed: int
    path: str
    revision: str = ""
    sha256: str = ""
    licence_accepted: str = ""


@dataclass(frozen=True)
class Models:
    """Every model of the catalogue. folder: where downloads go; free_bytes: of its disk."""

    folder: str
    free_bytes: int
    models: tuple[ModelState, ...]


@dataclass(frozen=True)
class Hello:
    """The worker's first message: who it is and what it runs on.

    torch, onnxruntime: their versions; empty where the worker does without. backend: what `auto` takes, and device,
    device_name: on what. device_memory: bytes in all on it. checkpoints: names usable without a download.
    """

    protocol: int
    version: str
    python: str
    torch: str
    device: str
    device_name: str
    device_memory: int
    checkpoints: tuple[str, ...]
    onnxruntime: str = ""
    backend: str = "torch"


@dataclass(frozen=True)
class Cancel:
    """Stop the job that the frame names. The worker answers with a `Failure` of code `cancelled`."""


@dataclass(frozen=True)
class Heartbeat:
    """The worker's, every HEARTBEAT_SECONDS whatever it does, about no job: tells a slow worker from a stopped one."""


@dataclass(frozen=True)
class Progress:
    """stage: short machine word (`photos`, `checkpoint`, `network`, ...); fraction: 0..1 of the whole job."""

    stage: str
    fraction: float
    sentence: str


class JobError(Exception):
    """Raised anywhere a job cannot go on; carries the `Failure` the artist will read."""

    def __init__(self, code: str, sentence: str, advice: str = "", log: str = "") -> None:
        super().__init__(sentence)
        self.failure = Failure(code, sentence, advice, log)
