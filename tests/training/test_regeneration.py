"""Rounds of training clips are made beside the training, on the real FluidSynth: always the same, never left over."""

import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from instrec import features
from instrec.corpus import balance, manifest, soundfont_programs
from instrec.corpus.index import RECORDINGS, Entry
from instrec.corpus.manifest import NOISY, RECORDING, SCORE, Clip
from instrec.params import Params
from instrec.synthesis import rendering, writing
from instrec.synthesis.soundfonts import catalog
from instrec.training import clip_rounds
from instrec.training.clip_rounds import Sources
from instrec.training.regeneration import Rounds
from instrec.util import hdf5
from tests.refusals import refused

RATE = 22050


def stages(params: Params, clips: list[Clip], folder: Path) -> Path:
    """What the stages synthesize and spectrograms make of clips."""
    writing.write(folder / "audio.h5", clips, rendering.Renderer(params, folder))
    representation = features.from_params(params.clip, params.spectrogram)
    features.write(folder / "train.h5", folder / "audio.h5", representation, workers=1)
    return folder / "train.h5"


@pytest.fixture(scope="module")
def sources(small_params: Params, tmp_path_factory: pytest.TempPathFactory) -> Sources:
    """A first round of a few clips, two of them recordings, one with an unknown label; seven epochs, two a round."""
    folder = tmp_path_factory.mktemp("project")
    params = replace(
        small_params,
        balance=replace(small_params.balance, train_per_class=4, train_mixtures=6, valid_per_class=0, valid_mixtures=0),
        train=replace(small_params.train, epochs=7, regenerate_every=2),
    )
    entries = []
    for name, unknown in (("flute", ()), ("piano", ("drums",))):
        soundfile.write(folder / f"{name}.wav", np.random.default_rng(0).uniform(-0.1, 0.1, RATE), RATE)
        entries.append(Entry(RECORDINGS, str(folder / f"{name}.wav"), 0.0, 1.0, (name,), name, unknown=unknown))
    for name in ("solo/tuba-000", "mixture/1-000-tuba", "excerpt/000-tuba"):  # of no class here: never opened
        (folder / "data" / name).parent.mkdir(parents=True)
        (folder / "data" / f"{name}.mid").touch()
    clips = manifest.of_split(balance.make(params, entries, folder / "data", held(params)), "train")
    manifest.write(folder / "manifest.csv", clips)
    first = stages(params, clips, folder)
    return Sources(params, folder / "manifest.csv", folder / "data", first)


def held(params: Params) -> soundfont_programs.Holdings:
    return catalog.held(params.soundfonts.all, params.soundfonts.folders)


def clips_of(sources: Sources, number: int) -> list[Clip]:
    return balance.round_clips(sources.params, manifest.read(sources.manifest), number, held(sources.params))


@pytest.mark.parametrize("workers", [1, 2])
def test_a_round_has_the_bytes_that_the_stages_would_write(sources, tmp_path, workers):
    expected = stages(sources.params, clips_of(sources, 3), tmp_path)
    changed = replace(sources, params=replace(sources.params, workers=workers))
    clip_rounds.write(tmp_path / "round-3.h5", changed, 3)
    assert (tmp_path / "round-3.h5").read_bytes() == expected.read_bytes()
    with hdf5.open_store(expected) as store:
        assert store.unknown.sum() == 1


def test_a_round_keeps_recordings_and_quotas_and_nothing_else(sources, tmp_path):
    clip_rounds.write(tmp_path / "round-1.h5", sources, 1)
    before, after = manifest.read(sources.manifest), clips_of(sources, 1)
    assert [clip for clip in before if clip.source == RECORDING] == [clip for clip in after if clip.source == RECORDING]
    assert Counter(len(clip.labels) for clip in before) == Counter(len(clip.labels) for clip in after)
    solos = [Counter(clip.labels for clip in clips if len(clip.labels) == 1) for clips in (before, after)]
    assert solos[0] == solos[1]
    with hdf5.open_store(sources.first) as one, hdf5.open_store(tmp_path / "round-1.h5") as other:
        inputs = {image.tobytes() for image in one.read(0, len(one)) if image.any()}
        for clip, identity, image in zip(after, other.ids, other.read(0, len(other)), strict=True):
            assert clip.id == identity
            assert (identity in one.ids) == (clip.source == RECORDING)
            assert (image.tobytes() in inputs) == (clip.source == RECORDING)


def test_noisy_and_clean_keep_their_shares(sources):
    bounds = replace(sources.params.balance, train_per_class=300, train_mixtures=600, noisy_share=0.5)
    params = replace(sources.params, balance=bounds)
    clips = balance.round_clips(params, balance.make(params, [], sources.data, held(params)), 2, held(params))
    new = [clip for clip in clips if clip.split == "train" and clip.source == SCORE]
    assert len(new) == 4 * 300 + 600
    assert np.mean([clip.noise == NOISY for clip in new if clip.labels]) == pytest.approx(0.5, abs=0.05)  # 4 sigma


def test_every_epoch_gets_its_round_and_two_are_kept_at_most(sources, tmp_path):
    for number in range(4):
        clip_rounds.write(tmp_path / f"{number}.h5", sources, number)
    contents = [(tmp_path / f"{number}.h5").read_bytes() for number in range(4)]
    assert len(set(contents)) == 4
    folder, found, done = tmp_path / "rounds", [], threading.Event()

    def watch() -> None:
        while not done.wait(0.005):
            found.append({".".join(file.name.removeprefix(".").split(".")[:2]) for file in folder.glob("*")})

    watcher = threading.Thread(target=watch)
    watcher.start()
    with Rounds(sources, folder) as loop:
        for epoch in range(7):
            path, number = loop.store(epoch), epoch // 2
            assert path == (folder / f"round-{number}.h5" if number else sources.first)
            assert number == 0 or path.read_bytes() == contents[number]
            while epoch == 3 and not (folder / "round-2.h5").exists():  # an epoch that takes longer than a round
                time.sleep(0.01)
    done.set()
    watcher.join()
    assert max(map(len, found)) == 2
    assert set().union(*found) == {f"round-{number}.h5" for number in (1, 2, 3)}  # a fifth no epoch needs
    assert [file.name for file in folder.iterdir()] == ["round-3.h5"]


def test_without_the_loop_the_first_round_is_all(sources, tmp_path):
    off = replace(sources.params, train=replace(sources.params.train, regenerate_every=0))
    with Rounds(replace(sources, params=off), tmp_path / "rounds") as loop:
        assert {loop.store(epoch) for epoch in range(7)} == {sources.first}
    assert not (tmp_path / "rounds").exists()


# ---- interruptions


TRAINING = """
import pickle, signal, sys, time
from pathlib import Path
from instrec.errors import run
from instrec.training.regeneration import Rounds

def main():
    sources, folder, seconds = pickle.loads(Path(sys.argv[1]).read_bytes())
    with Rounds(sources, folder) as loop:
        loop.store(0)
        while not any(folder.glob(".round-1.h5.*.part")):
            time.sleep(0.01)
        print("in the midst of it", flush=True)
        time.sleep(seconds)

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs are told to ignore it
    sys.exit(run(main))
"""


def training(sources: Sources, folder: Path, seconds: float) -> subprocess.Popen[str]:
    """A training in a process of its own group, as a shell starts it, while its second round is being made."""
    (folder / "training.py").write_text(TRAINING)
    several = replace(sources, params=replace(sources.params, workers=2))
    (folder / "task").write_bytes(pickle.dumps((several, folder / "rounds", seconds)))
    command = [sys.executable, str(folder / "training.py"), str(folder / "task")]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen(command, start_new_session=True, text=True, **pipes)
    assert process.stdout
    # Where ldconfig is not on the path, pyfluidsynth tells on standard output what it found.
    assert any(line == "in the midst of it\n" for line in process.stdout)
    return process


def ended(process: subprocess.Popen[str]) -> str:
    # The background processes hold the pipes as well: this returns only when they too have ended.
    _, errors = process.communicate(timeout=20)
    return errors


def test_what_runs_in_the_background_ends_with_the_training(sources, tmp_path):
    process = training(sources, tmp_path, seconds=0)
    assert ended(process) == ""
    assert process.returncode == 0
    assert not list((tmp_path / "rounds").glob("*"))


def test_ctrl_c_ends_all_with_one_line(sources, tmp_path):
    process = training(sources, tmp_path, seconds=60)
    os.killpg(process.pid, signal.SIGINT)
    assert ended(process).count("\n") == 1
    assert process.returncode == 130
    assert not list((tmp_path / "rounds").glob("*"))


def test_a_killed_training_makes_its_round_again_with_the_same_bytes(sources, tmp_path):
    process = training(sources, tmp_path, seconds=60)
    process.kill()
    ended(process)
    folder = tmp_path / "rounds"
    (part,) = folder.iterdir()
    assert part.match(".round-1.h5.*.part")
    clip_rounds.write(tmp_path / "1.h5", sources, 1)
    (folder / "round-0.h5").touch()  # of a round long gone
    with Rounds(sources, folder) as loop:
        path = loop.store(3)
        assert path.read_bytes() == (tmp_path / "1.h5").read_bytes()
    assert [file.name for file in folder.iterdir()] == ["round-1.h5"]
    made = path.stat().st_mtime_ns
    with Rounds(sources, folder) as loop:
        assert loop.store(2) == path
    assert path.stat().st_mtime_ns == made  # found, not made again


def test_what_goes_wrong_in_the_background_is_the_users_to_mend_all_the_same(sources, tmp_path):
    clips = [replace(clip, soundfont="nowhere.sf2" * (clip.source == SCORE)) for clip in clips_of(sources, 0)]
    manifest.write(tmp_path / "manifest.csv", clips)
    fonts = replace(sources.params.soundfonts, train=("nowhere.sf2",))
    params = replace(sources.params, soundfonts=fonts)
    wrong = replace(sources, manifest=tmp_path / "manifest.csv", params=params)
    with Rounds(wrong, tmp_path / "rounds") as loop:
        assert loop.store(0) == sources.first
        with refused("soundfont-missing", "nowhere.sf2", "soundfonts.folders"):
            loop.store(2)
    assert not list((tmp_path / "rounds").glob("*"))


def test_a_process_that_was_killed_is_told_with_what_to_do(sources, tmp_path):
    with Rounds(sources, tmp_path / "rounds") as loop:
        loop.store(0)
        assert loop._work
        os.killpg(loop._work._process.pid, signal.SIGKILL)
        with refused("worker-killed", "", "round 1", "params.yaml"):
            loop.store(2)


def test_background_processes_do_without_keras():
    """Each would hold half a gigabyte more, and start seconds later."""
    code = "import sys, instrec.training.regeneration; sys.exit(bool({'keras', 'tensorflow'} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
