"""The card as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from instrec.models.released import FACTS, RELEASED
from instrec.tracking.model_card.facts import Facts
from instrec.tracking.model_card.licenses import terms
from instrec.util.text import markdown

_SETS = {
    "seen_clean": "SoundFonts of training",
    "seen_noisy": "the same clips with noise, reverb and overload",
    "unseen_clean": "a SoundFont that is not used in training",
    "unseen_noisy": "the same clips with noise, reverb and overload",
    "unseen_excerpts": "pieces of 5 to 20 s, with the unseen SoundFont",
    "recordings": "held-out recordings",
}
_CLIPS = (
    ("solo", "top1", "solo: top-1"),
    ("solo", "macro_f1", "solo: macro F1"),
    ("mixtures", "micro_f1", "mixtures: micro F1"),
    ("mixtures", "count_accuracy", "mixtures: count accuracy"),
    ("excerpts", "micro_f1", "pieces: micro F1"),
)
_MEANS = (
    ("top1", "top-1"),
    ("macro_recall", "macro recall"),
    ("micro_f1", "micro F1"),
    ("macro_f1", "macro F1"),
    ("lrap", "LRAP"),
)
_SOUNDS = ("harp", "tuba", "synthesizer", "mandolin", "ukulele", "recorder")  # some may be no class
_RECORDED = """\
People play here. No recording was used in training, and no threshold or epoch was chosen on one. Which model to release
was decided with these metrics in view, so they flatter a little. Where groups are named (songs, players), intervals are
over groups. *LRAP* is label ranking average precision.

"""


def page(facts: Facts) -> str:
    """Lay out the facts of `facts.gather`.

    Raises
    ------
    UserError
        If a SoundFont's license is unknown.
    """
    sections = (_head, _use, _training, _classes, _scores, _recordings, _limits, _license)
    return "\n\n".join(section(facts) for section in sections) + "\n"


_HUB = """---
license: mit
library_name: instrec
pipeline_tag: audio-classification
tags: [music, audio, instrument-recognition, onnx, keras]
---

"""
"""What model hubs read."""


def _head(facts: Facts) -> str:
    model, params, name = facts["model"], facts["params"], _name(facts)
    clip, features = params["clip"], params["spectrogram"]
    rows = [
        ("file", f"`{RELEASED.with_stem(name)}`, {model['bytes'] / 1e6:.2f} MB, MD5 `{model['md5']}`"),
        ("released", facts["date"]),
        ("input", f"{clip['seconds']:g} s of mono audio at {clip['sample_rate']} Hz; longer audio in windows"),
        ("features", f"{features['name'].replace('_', '-')}, {features['mels']} bands, independent of loudness"),
        ("network", f"`{model['network']}`, {model['weights']:,} weights"),
        ("output", _output(facts)),
    ]
    return (
        _HUB + f"# Model card: {'the released model' if name == RELEASED.stem else f'the {name} model'}\n\n"
        f"This model recognizes {len(facts['classes'])} instruments in audio, and when each one sounds.\n\n"
        f"`instrec dev card` writes this page from `{FACTS.with_stem(name)}`, which `make release` collects from the "
        "pipeline.\n\n" + markdown(("", ""), rows)
    )


def _name(facts: Facts) -> str:
    return str(facts.get("name", RELEASED.stem))


def _output(facts: Facts) -> str:
    counts = facts["params"]["task"] == "count_presence"
    return "a probability per class" + (", and one for each count: 0, 1, 2, and 3 or more" if counts else "")


def _use(facts: Facts) -> str:
    option = "" if _name(facts) == RELEASED.stem else f" --model {_name(facts)}"
    return f"""\
## Use

Use it to find the instruments in your audio, offline: to tag, search, sort, or take a first look at a recording. It is
also a baseline for research. If a result matters, let a person check it. The model does not identify performers, and
does not transcribe music.

    instrec predict song.wav{option}

The model's file is in git. [export.md](export.md) shows how to use it as ONNX or TFLite, without instrec."""


_TEACHER = """
Beside the labels, the model learned the embedding that another network gives for each clip: mn04_as of EfficientAT (MIT
license, Florian Schmid), trained on the recordings of AudioSet ([fine-tuning.md](fine-tuning.md)). The model has none
of its weights."""


def _training(facts: Facts) -> str:
    params, train, valid = facts["params"], facts["clips"]["train"], facts["clips"]["valid"]
    anew = params["train"]["regenerate_every"]
    unseen = params["soundfonts"]["unseen"]
    rows = [
        (f"`{name}`", *_clips_of(name, unseen, (train, valid)), license, holders, f"`{source}`")
        for name in dict.fromkeys((*train["soundfonts"], *valid["soundfonts"], unseen))
        for license, holders, source in [terms(name)]
    ]
    rounds = f" New clips replaced these every {anew} epochs." if anew else ""
    start = params["train"]["start"]
    begun = "" if start in ("none", "prior") else f"\nTraining started from the earlier model `{start}`."
    if kept := params["train"].get("start_share", 0):
        begun += f" {100 * kept:.0f} % of its weights are in the mean of both."
    taught = _TEACHER if params["train"].get("teacher_weight", 0) else ""
    others = 100 * params["balance"].get("others_share", 0)
    joined = f"\nIn {others:.0f} % of the mixtures plays an instrument that is none of the classes." if others else ""
    share = 100 * params["train"]["average_share"]
    mean = f"The weights are the mean over the last {share:.0f} % of the epochs. Thresholds" if share else ""
    return f"""\
## Training data

{train["clips"]:,} clips of {params["clip"]["seconds"]:g} s, in {facts["epochs"]} epochs.{rounds}{begun}
{_sources(train)}{taught}
{train["noisy"]:,} clips have noise, reverb, equalization or overload.{joined}
{mean or "Thresholds and the best epoch"} were chosen on {valid["clips"]:,} other clips.

{markdown(("SoundFont", "training clips", "validation clips", "license", "holders", "source"), rows)}"""


def _clips_of(soundfont: str, unseen: str, parts: Iterable[Mapping[str, Any]]) -> list[str]:
    if soundfont == unseen:
        return ["none: tests only", "-"]
    return [f"{part['soundfonts'].get(soundfont, 0):,}" for part in parts]


def _sources(train: Mapping[str, Any]) -> str:
    if not train["recordings"]:
        return "None of them is a recording: FluidSynth rendered all of them from scores."
    made = train["clips"] - train["recordings"]
    return f"{train['recordings']:,} of them are recordings. FluidSynth rendered {made:,} from scores."


def _classes(facts: Facts) -> str:
    classes = [f"{name.replace('_', ' ')} {threshold:.2f}" for name, threshold in facts["classes"].items()]
    return f"""\
## Classes

The threshold of each class is the probability from which it is detected, chosen on validation clips:
{", ".join(classes)}."""


def _scores(facts: Facts) -> str:
    shown = [
        (kind, metric, title)
        for kind, metric, title in _CLIPS
        if any(metric in parts.get(kind, {}) for parts in facts["scores"].values())
    ]
    rows = [
        (f"`{name}`", _SETS.get(name, ""), *(_with_interval(parts.get(kind, {}), metric) for kind, metric, _ in shown))
        for name, parts in sorted(facts["scores"].items(), key=lambda each: [*_SETS, each[0]].index(each[0]))
    ]
    return f"""\
## Metrics

Intervals are 95 % (bootstrap over clips). *Top-1* is the share of solo clips whose strongest class is right. *Micro F1*
is over all instruments of mixtures of 0 to 3, with the thresholds above. Rules compose the test scores, which are
frozen: they compare models, and they do not predict a result on other music.

{markdown(("test set", "", *(title for *_, title in shown)), rows)}"""


def _recordings(facts: Facts) -> str:
    heading = "## On recordings\n\n"
    if not facts["recordings"]:
        return heading + "Not measured for this release. `instrec evaluate FOLDER` measures on your recordings."
    return heading + _RECORDED + "\n\n".join(_set_of_recordings(each) for each in facts["recordings"])


def _set_of_recordings(found: Mapping[str, Any]) -> str:
    rows = [
        (name.replace("_", " "), str(each["files"]), *(f"{each[key]:.3f}" for key in ("precision", "recall", "f1")))
        for name, each in found["per_class"].items()
    ]
    means = ", ".join(f"{title} {_with_interval(found, name)}" for name, title in _MEANS if name in found)
    of = f"{found['files']} files of {len(rows)} classes" + (f", {found['groups']} groups" if "groups" in found else "")
    return f"### {found['name'].capitalize()}\n\n{found['of']}. {of}: {means}.\n\n" + markdown(
        ("class", "files", "precision", "recall", "F1"), rows
    )


def _limits(facts: Facts) -> str:
    most = max(facts["params"]["balance"].get("mixture_counts", [3]))
    unknown = ", ".join([name for name in _SOUNDS if name not in facts["classes"]][:3])
    learned = "Most" if facts["clips"]["train"]["recordings"] else "All"
    return f"""\
## Limits

- {learned} training data is synthesized. Recordings sound different, and the model is worse on them.
- Training has at most {most} instruments at once. In a denser mix, the model names some of them.
- If a sound belongs to no class ({unknown}, speech), the model names the nearest class or none.
- A window has {facts["params"]["clip"]["seconds"]:g} s, so shorter sounds blur.
- The classes are instruments of Western orchestras and bands, as in General MIDI. Other traditions are missing, from
  the classes and from the tests."""


def _license(facts: Facts) -> str:
    return """\
## License

[MIT](../LICENSE), for code and model. The model file holds weights and parameters, and no audio. The SoundFonts in the
table above are not part of this repository, and have their own licenses."""


def _with_interval(part: Mapping[str, Any], metric: str) -> str:
    if metric not in part.get("intervals", {}):
        return "-"
    low, high = part["intervals"][metric]
    return f"{part[metric]:.3f} [{low:.3f}, {high:.3f}]"
