"""The card: true to the facts, these to the model, and both to what lies in git."""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from instrec import params
from instrec.cli import main
from instrec.corpus.manifest import Clip
from instrec.models.released import FACTS, FAST, NAMES, RELEASED
from instrec.params import Params
from instrec.synthesis.soundfonts import catalog
from instrec.tracking import model_card
from instrec.tracking.mlflow.runs import md5
from instrec.tracking.model_card import facts
from instrec.tracking.model_card.facts import evaluation
from instrec.tracking.model_card.licenses import TERMS, terms
from tests.refusals import assert_one_line, refused

EVALUATION = {
    "files": 4,
    "skipped": [{"file": "elsewhere/harp.wav", "reason": "the model knows no class 'harp'"}],
    "top1": 0.75,
    "per_class": {
        "violin": {"precision": 1.0, "recall": 0.6667, "f1": 0.8, "files": 3},
        "flute": {"precision": 0.5, "recall": 1.0, "f1": 0.6667, "files": 1},
    },
    "confusion": {"classes": ["violin", "flute"], "matrix": [[2, 1], [0, 1]]},
}


@pytest.fixture(scope="module")
def released(repository: Path) -> model_card.Facts:
    return model_card.read(repository / FACTS)


@pytest.mark.parametrize("name", sorted({*NAMES} - {FAST}))
def test_every_released_model_has_its_card(repository, name):
    facts = model_card.read(repository / FACTS.with_stem(name))
    again = f"instrec dev card --facts {FACTS.with_stem(name)} --output {model_card.card_of(name)}"
    assert (repository / model_card.card_of(name)).read_text() == model_card.page(facts), f"write it again: {again}"


class TestInGit:
    def test_the_card_is_what_the_facts_say(self, repository, released, tmp_path):
        shown = (repository / "docs/model_card.md").read_text()
        assert shown == model_card.page(released), "write it again: instrec dev card"
        assert main(["dev", "card", "--facts", str(repository / FACTS), "--output", str(tmp_path / "card.md")]) == 0
        assert (tmp_path / "card.md").read_text() == shown

    def test_the_facts_are_of_the_model(self, repository, released):
        """A model that was exchanged without `make release` has another checksum."""
        assert released["model"]["md5"] == md5(repository / RELEASED)
        assert released["model"]["bytes"] == (repository / RELEASED).stat().st_size <= 5e6

    def test_its_links_lead_somewhere(self, repository, released):
        links = re.findall(r"\]\(([^)]+)\)", model_card.page(released))
        assert links
        for link in links:
            assert (repository / "docs" / link).exists(), link


class TestPage:
    def test_figures_stand_with_their_intervals(self, released):
        text = model_card.page(released)
        for parts in released["scores"].values():
            for kind, metric in (("solo", "top1"), ("mixtures", "micro_f1"), ("excerpts", "micro_f1")):
                if kind in parts:
                    low, high = parts[kind]["intervals"][metric]
                    assert f"{parts[kind][metric]:.3f} [{low:.3f}, {high:.3f}]" in text
        for name, threshold in released["classes"].items():
            assert f"{name.replace('_', ' ')} {threshold:.2f}" in text

    def test_every_soundfont_has_its_licence(self, released):
        rows = {
            line.split("`")[1]: line
            for line in model_card.page(released).splitlines()
            if re.match(r"\| `.*\.sf[23]`", line)
        }
        assert set(rows) == {*released["clips"]["train"]["soundfonts"], released["params"]["soundfonts"]["unseen"]}
        assert all(terms(name).license in row and terms(name).source in row for name, row in rows.items())
        assert "tests only" in rows[released["params"]["soundfonts"]["unseen"]]

    def test_recordings_are_told_of_where_they_were_measured(self, released, tmp_path):
        assert "Not measured" in model_card.page({**released, "recordings": []})
        file = tmp_path / "notes.json"
        file.write_text(json.dumps(EVALUATION))
        recordings = {"of": "Four takes", **evaluation(file)}
        text = model_card.page({**released, "recordings": [recordings]})
        assert "### Notes\n\nFour takes. 4 files of 2 classes: top-1" in text
        assert re.search(r"top-1 0\.750 \[0\.\d+, 1\.000\]", text)
        assert re.search(r"macro recall 0\.833 ", text)
        assert "| violin | 3 | 1.000 | 0.667 | 0.800 |" in text
        assert "elsewhere" not in json.dumps(recordings)

    def test_files_with_several_labels_have_intervals_over_groups(self, released, tmp_path):
        file = tmp_path / "music.json"
        intervals = {"micro_f1": [0.5, 0.7], "lrap": [0.8, 0.9]}
        several = json.loads(json.dumps(EVALUATION))
        several |= {"groups": 2, "micro_f1": 0.625, "lrap": 0.85, "intervals": intervals}
        several["per_class"]["oboe"] = dict.fromkeys(("precision", "recall", "f1", "files"), 0)
        file.write_text(json.dumps(several))
        recordings = {"of": "Two songs", **evaluation(file)}
        text = model_card.page({**released, "recordings": [recordings, recordings]})
        means = "micro F1 0.625 [0.500, 0.700], LRAP 0.850 [0.800, 0.900]"
        assert text.count(f"### Music\n\nTwo songs. 4 files of 2 classes, 2 groups: {means}.\n") == 2

    def test_a_mixture_counts_for_each_of_its_soundfonts(self):
        pair = Clip("a", "train", "score", "", 0.0, ("flute", "oboe"), "", "A.sf2 + B.sf2", "clean", 20)
        clips = [pair, replace(pair, soundfont="A.sf2 + A.sf2"), replace(pair, soundfont="B.sf2")]
        assert facts.counted(clips)["soundfonts"] == {"A.sf2": 2, "B.sf2": 2}

    def test_it_says_how_many_instruments_training_mixes(self, released):
        changed = json.loads(json.dumps(released))
        changed["params"]["balance"]["mixture_counts"] = [0, 2, 6]
        assert "Training has at most 6 instruments at once." in model_card.page(changed)

    @pytest.mark.parametrize(
        ("share", "said"),
        [
            (0.4, "the last 40 % of the epochs"),
            (0.0, "Thresholds and the best epoch"),
        ],
    )
    def test_it_says_whether_epochs_were_averaged(self, released, share, said):
        changed = json.loads(json.dumps(released))
        changed["params"]["train"]["average_share"] = share
        assert said in model_card.page(changed)

    @pytest.mark.parametrize("start", ["none", "prior", "released/classifier.keras"])
    def test_it_says_what_training_went_on_from(self, released, start):
        changed = json.loads(json.dumps(released))
        changed["params"]["train"]["start"] = start
        assert (f"the earlier model `{start}`" in model_card.page(changed)) == start.endswith(".keras")

    @pytest.mark.parametrize(
        ("section", "key", "said"),
        [
            ("train", "start_share", "20 % of its weights are in the mean of both."),
            ("train", "teacher_weight", "mn04_as of EfficientAT (MIT"),
            ("balance", "others_share", "In 20 % of the mixtures plays an instrument that is none of the classes."),
        ],
    )
    def test_it_says_shares(self, released, section, key, said):
        changed = json.loads(json.dumps(released))
        for share in (0.0, 0.2):
            changed["params"][section][key] = share
            assert (said in model_card.page(changed)) == bool(share)

    def test_clips_that_are_replaced_and_recordings_in_training_are_told_of(self, released):
        changed = json.loads(json.dumps(released))
        changed["params"]["train"]["regenerate_every"] = 4
        changed["clips"]["train"]["recordings"] = 10
        text = model_card.page(changed)
        assert "every 4 epochs" in text
        assert "10 of them are recordings" in text
        assert "Most training data is synthesized" in text


def test_the_terms_of_every_soundfont_that_is_known_or_used(full_params: Params):
    assert TERMS.keys() >= {*full_params.soundfonts.all, *catalog.KNOWN}


def test_an_unknown_licence_is_asked_for(released):
    changed = json.loads(json.dumps(released))
    changed["clips"]["train"]["soundfonts"]["Mine.sf2"] = 3
    with refused("license-unknown", "Mine.sf2", "licenses.py"):
        model_card.page(changed)


def stored(folder: Path) -> set[str]:
    """Checksums of all that is in the embedded remote."""
    return {path.parent.name + path.name for path in (folder / ".dvcstore").rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def built(miniature, module_folder) -> Path:
    folder = module_folder / "repository"
    shutil.copytree(miniature, folder, symlinks=True)
    return folder


class TestRelease:
    """`make release` in a copy of the repository whose pipeline has run: the miniature."""

    def release(self, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "scripts/release.py", *arguments]
        return subprocess.run(command, cwd=folder, text=True, capture_output=True, check=False)

    def test_the_model_its_facts_and_its_card(self, built, tmp_path):
        before = stored(built)
        old = md5(built / RELEASED)
        packaged = [built / f"instrec/models/{name}.onnx" for name in ("classifier", FAST)]
        before_packaged = [md5(path) for path in packaged]
        (tmp_path / "real.json").write_text(json.dumps(EVALUATION))
        done = self.release(built, "--recordings", str(tmp_path / "real.json"), "--of", "four takes", "--date", "today")
        assert done.returncode == 0, done.stderr
        facts = model_card.read(built / FACTS)
        new = md5(built / "models/classifier.keras")
        assert facts["model"]["md5"] == md5(built / RELEASED) == new != old
        assert list(facts["classes"]) == list(params.load(built / "params.yaml").classes)
        assert facts["clips"]["train"]["clips"] == 4 * 24 + 24
        assert facts["scores"] == json.loads((built / "metrics/test.json").read_text())
        assert (built / "docs/model_card.md").read_text() == model_card.page(facts)
        assert "four takes" in model_card.page(facts)
        assert all(md5(path) != old for path, old in zip(packaged, before_packaged, strict=True))
        assert stored(built) == before

    def test_a_model_of_another_name_leaves_the_default_one_as_it_is(self, built):
        before = md5(built / RELEASED)
        done = self.release(built, "--name", "tiny", "--date", "today")
        assert done.returncode == 0, done.stderr
        facts = model_card.read(built / FACTS.with_stem("tiny"))
        assert (
            facts["model"]["md5"] == md5(built / RELEASED.with_stem("tiny")) == md5(built / "models/classifier.keras")
        )
        assert (built / "docs/model_card_tiny.md").read_text() == model_card.page(facts)
        packaged = built / "instrec/models/tiny.onnx"
        assert packaged.with_suffix(".md5").read_text() == f"{md5(packaged)}  tiny.onnx\n"
        assert md5(built / RELEASED) == before

    def test_what_does_not_belong_together_is_refused(self, built, tmp_path):
        (tmp_path / "untold/models").mkdir(parents=True)
        (tmp_path / "untold/models/classifier.keras").touch()
        figures = built / "metrics/test.json"
        kept = figures.read_bytes()
        figures.write_bytes(kept + b"\n")
        done = self.release(built)
        figures.write_bytes(kept)
        assert done.returncode == 2
        assert_one_line(f"{done.stderr.splitlines()[-1]}\n", "metrics/test.json", "`dvc repro`")
        for arguments, named in (
            (("--recordings", "x.json"), ("--recordings", "--of")),
            (("--recordings", "params.yaml", "--of", "x"), ("params.yaml", "line 1")),
            (("--recordings", "metrics/test.json", "--of", "x"), ("per_class",)),
            ((str(tmp_path / "untold"),), ("dvc.lock", "`dvc repro`")),
            ((str(tmp_path),), ("models/classifier.keras", "`dvc repro`")),
        ):
            done = self.release(built, *arguments)
            assert done.returncode == 2
            assert_one_line(f"{done.stderr.splitlines()[-1]}\n", *named)
