"""The released models: what each is good for, how large it is, what it may be used for, and where it comes from.

Blender imports this too, so there is nothing here but the standard library. Sizes, commits and hashes are those of
the Depth Anything 3 repositories on Hugging Face (depth-anything/..., Lin et al. 2025), as public projects that pin
these files agree on them. Licences are those that the authors' own table of models names; where a model card says
something more permissive (DA3-LARGE-1.1), the stricter one counts.
"""

from __future__ import annotations

from dataclasses import dataclass

OPEN_LICENCE = "Apache-2.0"
"""The licence that nobody needs to be asked about."""

MEMORY_PHOTOS, MEMORY_RESOLUTION = 8, 504
"""The job that memory is told for where nothing else is asked."""

PHOTO_ASPECT = 0.75
PATCH = 14
HEAD_CHUNK = 8
"""Photos that the dense head takes at once."""

HEAD_MAPS, TOKEN_COPIES, RUNTIME_BYTES = 2, 14, 300_000_000
"""What `Model.memory_needed` counts: maps of the head at full size and copies of the tokens that are alive at once,
fitted to peaks measured with da3-small and da3-base (1 and 6 photos of 504 x 378, float32 on a CPU), and the rest."""


@dataclass(frozen=True)
class Licence:
    """What a licence means, in plain words. url: its text."""

    name: str
    meaning: str
    commercial_use: bool
    url: str


LICENCES = {
    licence.name: licence
    for licence in (
        Licence(
            OPEN_LICENCE,
            "Free for any use, also commercial; name the authors when you pass the model on.",
            True,
            "https://www.apache.org/licenses/LICENSE-2.0",
        ),
        Licence(
            "CC-BY-NC-4.0",
            "Not for commercial use: nothing made with this model may be made for or used for payment or advantage "
            "in business. Name the authors when you share it.",
            False,
            "https://creativecommons.org/licenses/by-nc/4.0/",
        ),
    )
}


@dataclass(frozen=True)
class Model:
    """One model known by name.

    name: what a request calls it. title: what people read. preset: which network. good_for: one plain line.
    repository: on Hugging Face; empty where the model comes with the worker.
    revision: the commit that is downloaded; empty: the newest, and the commit is recorded beside the files.
    sha256: of the weights; empty: what the hub itself publishes for the file is what counts.
    size: of the weights, in bytes. parameters: in millions.
    width, features: channels of a token and of the dense head, which memory depends on.
    gaussians: a Gaussian head of its own. cameras: tells where photos were taken from. metric: depth is in metres.
    """

    name: str
    title: str
    preset: str
    good_for: str
    licence: str
    repository: str = ""
    revision: str = ""
    sha256: str = ""
    size: int = 0
    parameters: float = 0.0
    width: int = 1024
    features: int = 256
    gaussians: bool = False
    cameras: bool = True
    metric: bool = False

    @property
    def bundled(self) -> bool:
        return not self.repository

    @property
    def commercial_use(self) -> bool:
        return LICENCES[self.licence].commercial_use

    @property
    def needs_acceptance(self) -> bool:
        return self.licence != OPEN_LICENCE

    def memory_needed(self, photos: int = MEMORY_PHOTOS, resolution: int = MEMORY_RESOLUTION) -> int:
        """An estimate, in bytes, of the memory that a job takes on its device: weights, head and tokens in float32.

        photos of 4:3, resolution: of their longer side in pixels.
        """
        pixels = resolution**2 * PHOTO_ASPECT
        head = HEAD_MAPS * 4 * pixels * self.features * min(photos, HEAD_CHUNK)
        tokens = TOKEN_COPIES * 4 * pixels / PATCH**2 * self.width * photos
        return round(4e6 * self.parameters + head + tokens) + RUNTIME_BYTES

    @property
    def folder_name(self) -> str:
        """Its folder in the folder of models."""
        return self.repository.rpartition("/")[2] or self.name

    @property
    def page(self) -> str:
        """Where its authors describe it."""
        return f"https://huggingface.co/{self.repository}" if self.repository else ""


_SMALL = {"preset": "da3-small", "parameters": 34.3, "size": 137_248_940, "width": 384, "features": 64}
_BASE = {"preset": "da3-base", "parameters": 135.4, "size": 541_518_028, "width": 768, "features": 128}
_LARGE = {"preset": "da3-large", "parameters": 410.9, "size": 1_643_843_860}
_GIANT = {"preset": "da3-giant", "parameters": 1355.7, "size": 5_422_814_644, "width": 1536, "gaussians": True}
_MONOCULAR = {"parameters": 334.2, "size": 1_336_734_448, "cameras": False}
_NESTED = {
    **_GIANT,
    "preset": "da3nested-giant-large",
    "parameters": 1689.8,
    "size": 6_759_558_100,
    "metric": True,
}

CATALOGUE: dict[str, Model] = {
    model.name: model
    for model in (
        Model(
            name="da3-tiny",
            title="DA3 Tiny",
            preset="da3-tiny",
            good_for="Comes with the add-on: quick tries on any computer, with simple splats",
            licence=OPEN_LICENCE,
            size=17_361_226,
            parameters=8.7,
            width=192,
            features=32,
            gaussians=True,
        ),
        Model(
            name="da3-small",
            title="DA3 Small",
            good_for="Quick scenes on a laptop or without a graphics card",
            licence=OPEN_LICENCE,
            repository="depth-anything/DA3-SMALL",
            revision="e08cab65ca0ec38e7826075418411ab90cab4da3",
            sha256="364492e38a3a06d221ac75da7f6621ada3f2361cd24fde11ba79091e9f40efcf",
            **_SMALL,
        ),
        Model(
            name="da3-base",
            title="DA3 Base",
            good_for="The best model of many photos that commercial work may use",
            licence=OPEN_LICENCE,
            repository="depth-anything/DA3-BASE",
            revision="f4a6c9b3c95e41c82048423d3493a81ec3fa810e",
            sha256="e01067dc1659613083d9145a9a2547ccdbe6ccbbf83c4fe7b3e8a4e2bdae78b5",
            **_BASE,
        ),
        Model(
            name="da3-large-1.1",
            title="DA3 Large 1.1",
            good_for="Good cameras and depth for a graphics card with 8 GB",
            licence="CC-BY-NC-4.0",
            repository="depth-anything/DA3-LARGE-1.1",
            revision="0e109ae307c5982f319a67cf6f9f99ccdc0ec97c",
            sha256="739905c423cf0d6ccaf9e61a8401d82ba1ac32d7f4d3ee6dca8f92b377633f64",
            **_LARGE,
        ),
        Model(
            name="da3-giant-1.1",
            title="DA3 Giant 1.1",
            good_for="The best cameras, depth and splats, without a known scale",
            licence="CC-BY-NC-4.0",
            repository="depth-anything/DA3-GIANT-1.1",
            revision="72ee9f89ce4e50d704e9d55ee9c646ec8dc25a19",
            sha256="1e47a08338ca73a6d6a21d37fd060b26b993b672bc6ddf6295fe474df2592001",
            **_GIANT,
        ),
        Model(
            name="da3nested-giant-large-1.1",
            title="DA3 Nested 1.1",
            good_for="The best cameras, depth and splats, in meters",
            licence="CC-BY-NC-4.0",
            repository="depth-anything/DA3NESTED-GIANT-LARGE-1.1",
            revision="b2359bdf726fb44ef62acca04d629dcf158053e7",
            sha256="8ebe871a022ed58d2fc8fdfb2ebdb31d57b60fe39611c849095851a7b7c6020c",
            **_NESTED,
        ),
        Model(
            name="da3metric-large",
            title="DA3 Metric Large",
            preset="da3metric-large",
            good_for="Depth in meters from single photos; commercial use allowed",
            licence=OPEN_LICENCE,
            repository="depth-anything/DA3METRIC-LARGE",
            revision="4010e39f3634a45bc60553321fb49fb760bd594e",
            sha256="bbea5b0b3ee389849cffa7ddae89de064a90abd2b055fc5aa99aac68db324776",
            metric=True,
            **_MONOCULAR,
        ),
        Model(
            name="da3mono-large",
            title="DA3 Mono Large",
            preset="da3mono-large",
            good_for="Fine depth from single photos, without a known scale; commercial use allowed",
            licence=OPEN_LICENCE,
            repository="depth-anything/DA3MONO-LARGE",
            revision="f465978e618db8cc79c83b8bbf24964857db1875",
            sha256="7a799a7f95eb8d4c404c2ca8be3dc3276b350a417ddc4420db72ba850cc0e960",
            **_MONOCULAR,
        ),
        Model(
            name="da3-large",
            title="DA3 Large (first release)",
            good_for="To repeat old results; Large 1.1 is better",
            licence="CC-BY-NC-4.0",
            repository="depth-anything/DA3-LARGE",
            revision="c54c26b16ec04d218e8d584ecf4bce082a9fcc20",
            sha256="eaf2ae06df55889ad23eb245c82e2dd2a30c0cbf7e3d873a118fa5ed27a3e421",
            **_LARGE,
        ),
        Model(
            name="da3-giant",
            title="DA3 Giant (first name)",
            good_for="The same weights as Giant 1.1 under their first name",
            licence="CC-BY-NC-4.0",
            repository="depth-anything/DA3-GIANT",
            revision="7cd62ae9315b9dff094d2d300e4ad012640607dd",
            sha256="1e47a08338ca73a6d6a21d37fd060b26b993b672bc6ddf6295fe474df2592001",
            **_GIANT,
        ),
        Model(
            name="da3nested-giant-large",
            title="DA3 Nested (first release)",
            good_for="To repeat old results; Nested 1.1 is better",
            licence="CC-BY-NC-4.0",
            repository="depth-anything/DA3NESTED-GIANT-LARGE",
            revision="8615eefb62f2db4f8d6ebaa59160086981672829",
            sha256="8899faf998dedbc230261ab736fa57015280727399429122d44d4f9e7aac2ddd",
            **_NESTED,
        ),
    )
}


def human_size(size: int) -> str:
    """`137 MB`, `5.4 GB`: decimal units, as disks are sold and downloads counted."""
    if size < 1_000_000:
        return f"{max(size, 0) / 1e3:.0f} kB"
    return f"{size / 1e6:.0f} MB" if size < 1_000_000_000 else f"{size / 1e9:.1f} GB"
