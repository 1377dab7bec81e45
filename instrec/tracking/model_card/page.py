"""The card as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from instrec.models.released import FACTS, RELEASED
from instrec.tracking.model_card.facts import Facts
from instrec.tracking.model_card.licenses import terms

_SETS = {
    "seen_clean": "SoundFonts of training",
    "seen_noisy": "the same clips with noise, reverb, overload and the like",
    "unseen_clean": "a SoundFont that training never heard",
    "unseen_noisy": "the same clips with noise, reverb, overload and the like",
    "unseen_excerpts": "pieces of 5 to 20 s, the unseen SoundFont",
    "recordings": "recordings held out of training",
}
_CLIPS = (
    ("solo", "top1", "solo: top-1"),
    ("solo", "macro_f1", "solo: macro F1"),
    ("mixtures", "micro_f1", "mixtures: micro F1"),
    ("mixtures", "count_accuracy", "mixtures: count right"),
    ("excerpts", "micro_f1", "pieces: micro F1"),
)


def page(facts: Facts) -> str:
    """Lay out the facts of `facts.gather`.

    Raises
    ------
    UserError
        When a SoundFont's license is unknown.
    """
    sections = (_head, _use, _training, _classes, _scores, _recordings, _limits, _licence)
    return "\n\n".join(section(facts) for section in sections) + "\n"


def _head(facts: Facts) -> str:
    model, knobs = facts["model"], facts["params"]
    clip, picture = knobs["clip"], knobs["spectrogram"]
    rows = [
        ("file", f"`{RELEASED}`, {model['bytes'] / 1e6:.2f} MB, MD5 `{model['md5']}`"),
        ("released", facts["date"]),
        (
            "takes",
            f"{clip['seconds']:g} s of sound, mono, {clip['sample_rate']} Hz; a file of any kind in such windows",
        ),
        ("sees", f"a {picture['name'].replace('_', '-')} picture of {picture['mels']} bands, at any loudness the same"),
        ("network", f"`{model['network']}`, {model['weights']:,} weights"),
        ("gives", _gives(facts)),
    ]
    return (
        "# Model card: the released model\n\n"
        f"It names the instruments that sound in audio, of {len(facts['classes'])} kinds, and when.\n\n"
        f"Written by `instrec dev card` from `{FACTS}`, which `make release` gathers from the pipeline; not by hand."
        "\n\n" + _table(("", ""), rows)
    )


def _gives(facts: Facts) -> str:
    counts = facts["params"]["task"] == "count_presence"
    return "a probability for each class" + (", and one for each of 0, 1, 2, and 3 or more at once" if counts else "")


def _use(facts: Facts) -> str:
    return f"""\
## Use

For whoever wants instruments named in audio of their own, offline: tagging, searching, sorting, a first look at a
recording; and as a baseline for research. A person should check what matters. It identifies no performer and
transcribes nothing.

    dvc pull {RELEASED}
    instrec predict song.wav

`make setup data` brings it, too. [export.md](export.md) says how to use it as ONNX or TFLite, without this package."""


def _training(facts: Facts) -> str:
    knobs, train, valid = facts["params"], facts["clips"]["train"], facts["clips"]["valid"]
    anew = knobs["train"]["regenerate_every"]
    unseen = knobs["soundfonts"]["unseen"]
    rows = [
        (f"`{name}`", *_clips_of(name, unseen, (train, valid)), license, holders, f"`{package}`")
        for name in dict.fromkeys((*train["soundfonts"], *valid["soundfonts"], unseen))
        for license, holders, package in [terms(name)]
    ]
    rounds = f" Every {anew} epochs new ones took the place of those." if anew else ""
    start = knobs["train"]["start"]
    begun = "" if start == "none" else f"\nTraining went on from `{start}` as it was then, which had learned before."
    share = 100 * knobs["train"]["average_share"]
    mean = f"Its weights are the mean of those of the last {share:.0f} % of the epochs. Thresholds" if share else ""
    return f"""\
## What it learned from

{train["clips"]:,} clips of {knobs["clip"]["seconds"]:g} s, in {facts["epochs"]} epochs.{rounds}{begun}
{_sources(train)}
{train["noisy"]:,} had noise, reverb, an equalizer, overload and the like put over them.
{mean or "Thresholds and the best epoch"} were chosen on {valid["clips"]:,} other clips.

{_table(("SoundFont", "training clips", "validation clips", "license", "holders", "Debian package"), rows)}"""


def _clips_of(soundfont: str, unseen: str, parts: Iterable[Mapping[str, Any]]) -> list[str]:
    if soundfont == unseen:
        return ["never heard: tests", "-"]
    return [f"{part['soundfonts'].get(soundfont, 0):,}" for part in parts]


def _sources(train: Mapping[str, Any]) -> str:
    if not train["recordings"]:
        return "No recording of music is among them: all were rendered with FluidSynth, from scores."
    made = train["clips"] - train["recordings"]
    return f"{train['recordings']:,} of them are recordings, {made:,} were rendered with FluidSynth, from scores."


def _classes(facts: Facts) -> str:
    classes = [f"{name.replace('_', ' ')} {threshold:.2f}" for name, threshold in facts["classes"].items()]
    return f"""\
## Classes

With the probability from which each counts as present, chosen on validation clips:
{", ".join(classes)}."""


def _scores(facts: Facts) -> str:
    shown = [
        (kind, metric, title)
        for kind, metric, title in _CLIPS
        if any(metric in parts.get(kind, {}) for parts in facts["scores"].values())
    ]
    rows = [
        (f"`{name}`", _SETS.get(name, ""), *(_figure(parts.get(kind, {}), metric) for kind, metric, _ in shown))
        for name, parts in sorted(facts["scores"].items(), key=lambda each: [*_SETS, each[0]].index(each[0]))
    ]
    return f"""\
## Scores

With 95 % intervals (bootstrap over clips). *Top-1*: the strongest class is the right one, of clips with one instrument.
*Micro F1*: over all instruments of mixtures of 0 to 3, with the thresholds above. All test scores are composed by
rules and frozen: they compare models, and forecast nothing for other music.

{_table(("test set", "", *(title for *_, title in shown)), rows)}"""


def _recordings(facts: Facts) -> str:
    found = facts["recordings"]
    heading = "## On recordings\n\n"
    if not found:
        return heading + "Not measured for this release. `instrec evaluate FOLDER` measures on recordings of yours."
    rows = [
        (name.replace("_", " "), str(each["files"]), *(f"{each[key]:.3f}" for key in ("precision", "recall", "f1")))
        for name, each in found["per_class"].items()
    ]
    names = (("top1", "top-1"), ("macro_recall", "macro recall"), ("macro_f1", "macro F1"))
    figures = ", ".join(f"{name} {_figure(found, metric)}" for metric, name in names)
    return (
        f"{heading}{found['files']} files of {len(rows)} classes, one instrument each: {found['of']}.\n"
        f"All files: {figures}.\n\n" + _table(("class", "files", "precision", "recall", "F1"), rows)
    )


def _limits(facts: Facts) -> str:
    learned = "Most" if facts["clips"]["train"]["recordings"] else "All"
    return f"""\
## Limits

- {learned} of what it learned from is synthesized. Recordings sound different, and it does worse on them.
- More than three instruments at once were never in training. In a dense mix it names some of them.
- What is of no class (harp, tuba, a synthesizer, speech) gets the nearest class's name, or none.
- It decides about {facts["params"]["clip"]["seconds"]:g} s at a time; what sounds for less blurs.
- The instruments are those of Western orchestras and bands, played as General MIDI has them.
  Other traditions are missing, from the classes and from the tests."""


def _licence(facts: Facts) -> str:
    return """\
## License

[MIT](../LICENSE), code and model. The model file has weights and settings in it and no sound. The SoundFonts in the
table above are not part of this repository and come under their own licenses."""


def _figure(part: Mapping[str, Any], metric: str) -> str:
    if metric not in part:
        return "-"
    low, high = part["intervals"][metric]
    return f"{part[metric]:.3f} [{low:.3f}, {high:.3f}]"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
