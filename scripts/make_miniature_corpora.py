"""Make miniatures of the published datasets: `python -m scripts.make_miniature_corpora FOLDER`.

Each has the folders, file names, archives, metadata and index of the real one, and a few synthetic sounds per label.
FOLDER/served/NAME is what a server would give, FOLDER/placed/NAME what a user would put into `sources.corpora`.
"""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml

from instrec.corpus.published import irmas, medley_solos_db, openmic, tinysol
from instrec.corpus.published.mirdata_loader import Remote
from instrec.errors import UserError, run
from scripts.miniature_files import Files, OldInfo, as_csv, indexed, mixed, put, served, sound, tarred, zipped


def make_irmas(folder: Path) -> list[Remote]:
    """Train on two or three excerpts of two recordings per label; test on two of three songs, with two labels each."""
    labels = list(irmas.LABELS)
    files: Files = {}
    index = {}
    for number in range(2 * len(labels)):
        label, drums = labels[number // 2], "[nod]" if number % 2 else ""
        for part in range(1, 3 + number % 2):
            name = f"IRMAS-TrainingData/{label}/[{label}]{drums}[pop_roc]{number:04}__{part}.wav"
            files[name] = sound(label, name, 3.0)
            index[f"{number:04}__{part}"] = {"audio": name, "annotation": name}
    remotes = [zipped(folder, "IRMAS-TrainingData.zip", files)]
    for number in range(6):
        part, pair = number // 2 + 1, (labels[number], labels[number + 1])
        stem = f"IRMAS-TestingData-Part{part}/Part{part}/{part:02} - Canción-{number % 2 + 1}"
        files[f"{stem}.wav"] = mixed(pair, stem, 5.0 + number % 3)
        files[f"{stem}.txt"] = "".join(f"{label}\t\n" for label in pair).encode()
        index[str(number + 1)] = {"audio": f"{stem}.wav", "annotation": f"{stem}.txt"}
    for part in (1, 2, 3):
        archive = f"IRMAS-TestingData-Part{part}"
        own = {name: content for name, content in files.items() if name.startswith(archive)}
        remotes.append(zipped(folder, f"{archive}.zip", own, OldInfo))
    return [indexed(folder, "irmas_index_1.0.json", index, files), *remotes]


def make_medley_solos_db(folder: Path) -> list[Remote]:
    """Four clips per label: two songs to train on, one to validate, one to test."""
    audio: Files = {}
    rows, index = [], {}
    for number, label in enumerate(medley_solos_db.LABELS):
        for part, subset in enumerate(("training", "training", "validation", "test")):
            name = f"{number:08}-{part:04}-5000-8000-000000000000"
            path = f"Medley-solos-DB_{subset}-{number}_{name}.wav"
            audio[path] = sound(label, path, 2.97)
            rows.append((subset, label, number, 4 * number + part, name))
            index[name] = {"audio": f"audio/{path}"}
    table = as_csv(("subset", "instrument", "instrument_id", "song_id", "uuid4"), rows)
    return [
        indexed(folder, "medley_solos_db_index_1.2.json", index, {f"audio/{name}": audio[name] for name in audio}),
        served(folder, "Medley-solos-DB_metadata.csv", table, "annotation"),
        tarred(folder, "Medley-solos-DB.tar.gz", audio, "audio"),
    ]


def make_good_sounds(folder: Path) -> list[Remote]:
    """Two players per instrument with two notes each, one of them through two microphones."""
    audio: Files = {}
    packs: dict[str, Any] = {}
    sounds: dict[str, Any] = {}
    takes: dict[str, Any] = {}
    for instrument in ("flute", "cello", "clarinet", "trumpet", "violin", "sax_alto", "oboe", "piccolo", "bass"):
        for player in (f"{instrument}ist", "ana" if instrument == "flute" else f"{instrument}_two"):
            pack = {"id": len(packs) + 1, "name": f"{instrument}_{player}_recordings", "description": ""}
            packs[str(pack["id"])] = pack
            for note in range(2):
                number = len(sounds) + 1
                sounds[str(number)] = {
                    **{"id": number, "instrument": instrument, "note": "C", "octave": 4, "player": player},
                    **{"klass": "good-sound", "pack_id": pack["id"], "semitone": 48 + note, "pitch_reference": 442},
                }
                for microphone in ("neumann", "akg")[: 1 + note]:
                    path = f"sound_files/{pack['name']}/{microphone}/{note:04}.wav"
                    audio[f"good-sounds/{path}"] = sound(instrument, f"{pack['name']} {note}", 1.5)
                    take = {"id": len(takes) + 1, "microphone": microphone, "filename": path, "sound_id": number}
                    takes[str(take["id"])] = take
    index = {name: {"audio": f"good-sounds/{take['filename']}"} for name, take in takes.items()}
    tables = {"packs": packs, "ratings": {}, "sounds": sounds, "takes": takes}
    return [
        indexed(folder, "good_sounds_index_1.0.json", index, audio),
        *(served(folder, f"{name}.json", json.dumps(table).encode()) for name, table in tables.items()),
        zipped(folder, "good-sounds.zip", audio),
    ]


def make_tinysol(folder: Path) -> list[Remote]:
    """Five notes per instrument, one per fold."""
    audio: Files = {}
    rows, index = [], {}
    for label in (*tinysol.LABELS, "Theremin"):
        short = "".join(word[0] for word in label.split()) + label[-1]
        for fold, pitch in enumerate(("C4", "C#4", "D4", "D#4", "E4")):
            name = f"{short}-ord-{pitch}-mf-N-N"
            path = f"Family/{label.replace(' ', '_')}/ordinario/{name}.wav"
            audio[path] = sound(label, path, 1.0)
            rows.append(
                (path, fold, "Family", short, label, "ord", "ordinario", pitch, 60 + fold, "mf", 2, 0, "", "FALSE")
            )
            index[name] = {"audio": f"audio/{path}"}
    columns = (
        *("Path", "Fold", "Family", "Instrument (abbr.)", "Instrument (in full)", "Technique (abbr.)"),
        *("Technique (in full)", "Pitch", "Pitch ID", "Dynamics", "Dynamics ID", "Instance ID"),
        *("String ID (if applicable)", "Needed digital retuning"),
    )
    return [
        indexed(folder, "tinysol_index_6.0.json", index, {f"audio/{name}": audio[name] for name in audio}),
        tarred(folder, "TinySOL.tar.gz", audio, "audio"),
        served(folder, "TinySOL_metadata.csv", as_csv(columns, rows), "annotation"),
    ]


def make_openmic(folder: Path) -> list[Remote]:
    """Three excerpts per label, some with a second one; the archive holds all in one folder, as the real one does.

    Listeners were asked about these labels and about the two before them, which they denied.
    """
    files: Files = {}
    metadata, labeled, index = [], [], {}
    splits: dict[str, list[str]] = {"split01_train": [], "split01_test": []}
    labels = [*openmic.LABELS, "ukulele", "guitar"]
    for number in range(3 * len(labels)):
        label, second = labels[number // 3], labels[(number // 3 + 1) % len(labels)]
        key = f"{number:06}_3840"
        played = (label, second) if number % 3 == 1 else (label,)
        files[f"audio/{key[:3]}/{key}.ogg"] = mixed(played, key, 10.0, "OGG")
        files[f"vggish/{key[:3]}/{key}.json"] = b'{"features": [], "time_points": []}'
        index[key] = {"audio": f"audio/{key[:3]}/{key}.ogg", "vggish": f"vggish/{key[:3]}/{key}.json"}
        metadata.append((number, number // 2, f"Artist {number // 2}", "[{'genre_title': 'Folk'}]", "Song", key, 3.84))
        labeled += [(key, name, 0.9, 3) for name in played]
        labeled += [(key, labels[number // 3 - back], 0.1, 3) for back in (1, 2)]
        splits["split01_test" if number % 3 == 2 else "split01_train"].append(key)
    songs = ("track_id", "artist_id", "artist_name", "track_genres", "track_title", "sample_key", "start_time")
    files["openmic-2018-metadata.csv"] = as_csv(songs, metadata)
    columns = ("sample_key", "instrument", "relevance", "num_responses")
    files["openmic-2018-aggregated-labels.csv"] = as_csv(columns, labeled)
    files["class-map.json"] = json.dumps({label: number for number, label in enumerate(labels)}).encode()
    files |= {f"partitions/{name}.csv": "".join(f"{key}\n" for key in keys).encode() for name, keys in splits.items()}
    return [
        indexed(folder, "openmic2018_index_1.0.json", index, files),
        tarred(folder, "openmic-2018-v1.0.0.tgz", {f"openmic-2018/{name}": files[name] for name in files}),
    ]


def make_slakh(folder: Path) -> list[Remote]:
    """Five stems of a song per part, one of no class; a sixth that is not rendered."""
    files: Files = {}
    index = {}
    programs = ("Acoustic Grand Piano", "Electric Bass (finger)", "Violin", "Drums", "Pan Flute", "Gunshot")
    for number, part in enumerate(("train", "validation", "test", "omitted"), 1):
        song = f"slakh2100_flac_redux/{part}/Track{number:05}"
        stems = {}
        for place, program in enumerate(programs):
            key = f"S{place:02}"
            audio = f"{song}/stems/{key}.flac" if program != "Gunshot" else None
            if audio:
                files[audio] = sound(program, song, 3.0, "FLAC")
            metadata = f"{song}/metadata.yaml"
            index[f"Track{number:05}-{key}"] = {"audio": audio, "midi": None, "metadata": metadata}
            stems[key] = {"is_drum": program == "Drums", "midi_program_name": program}
        files[f"{song}/metadata.yaml"] = yaml.safe_dump({"stems": stems}).encode()
    return [
        indexed(folder, "slakh_index_2100-redux.json", index, files, version="2100-redux"),
        tarred(folder, "slakh2100_flac_redux.tar.gz", files),
    ]


def make_philharmonia(folder: Path) -> None:
    """Three pitches per instrument, one of them loud and soft; percussion; the empty file that the real one has."""
    for instrument in ("violin", "double-bass", "cor-anglais", "flute", "trumpet", "mandolin"):
        for pitch, dynamic in (("A3", "forte"), ("A3", "piano"), ("As4", "forte"), ("C5", "fortissimo")):
            name = f"{instrument}_{pitch}_1_{dynamic}_normal.mp3"
            put(folder / instrument.replace("-", " ") / name, sound(instrument, name, 1.0, "MP3"))
    put(folder / "percussion/agogo bells/agogo-bells__025_forte_struck-singly.mp3", sound("bells", "", 0.5, "MP3"))
    put(folder / "viola/viola_D6_05_piano_arco-normal.mp3", b"")


def make_notes(folder: Path) -> None:
    """Seven orchestral instruments, as the bachelor thesis has them; one of them in players' folders."""
    for instrument in ("violin", "cello", "double bass", "flute", "oboe", "trumpet", "tuba"):
        for pitch in ("G3", "C4", "E4"):
            name = f"anna/{pitch}_forte.wav" if instrument == "violin" else f"{pitch}_forte.wav"
            put(folder / instrument / name, sound(instrument, name, 1.0))


def make_jungle_vibe(folder: Path) -> None:
    """Two recordings per instrument."""
    for instrument in ("flute", "cello", "saxophone", "trumpet", "violin", "didgeridoo"):
        for song in ("morning", "evening"):
            put(folder / instrument / f"{song} {instrument}.mp3", sound(instrument, song, 4.0, "MP3"))


def make_omt(folder: Path) -> None:
    """Three songs of six stems."""
    for song in ("In The Meantime", "Lead Me", "Not Alone"):
        for stem in ("01_Kick", "02_Overheads", "Bass", "LeadVox", "Electric Guitar Solo", "Synth Pad"):
            put(folder / song / f"{stem}.wav", sound(stem, song, 4.0))


def make_medleydb(folder: Path) -> None:
    """Three songs, one of whose stems bleed into each other."""
    for song, bleeds in (("Artist_One", "no"), ("Artist_Two", "no"), ("Band_Live", "yes")):
        stems = {}
        for number, instrument in enumerate(("violin", "male singer", "drum set", "Main System", "theremin"), 1):
            name = f"{song}_STEM_{number:02}.wav"
            put(folder / song / f"{song}_STEMS" / name, sound(instrument, song, 4.0))
            stems[f"S{number:02}"] = {"component": "", "filename": name, "instrument": instrument, "raw": {}}
        tree = {"artist": song, "has_bleed": bleeds, "stem_dir": f"{song}_STEMS", "stems": stems}
        put(folder / song / f"{song}_METADATA.yaml", yaml.safe_dump(tree).encode())


SERVED = {
    "irmas": make_irmas,
    "medley_solos_db": make_medley_solos_db,
    "good_sounds": make_good_sounds,
    "tinysol": make_tinysol,
    "openmic": make_openmic,
    "slakh": make_slakh,
}
PLACED = {
    "philharmonia": make_philharmonia,
    "notes": make_notes,
    "jungle_vibe": make_jungle_vibe,
    "omt": make_omt,
    "medleydb": make_medleydb,
}


def make(folder: Path) -> None:
    """Make every miniature; `remotes.json` beside what is served names file, address, checksum and destination."""
    for name, maker in SERVED.items():
        remotes = maker(folder / "served" / name)
        table = json.dumps([asdict(remote) for remote in remotes], indent=1)
        put(folder / "served" / name / "remotes.json", table.encode())
    for name, place in PLACED.items():
        place(folder / "placed" / name)


def main() -> None:
    """Make the miniatures in the folder named on the command line."""
    if len(sys.argv) != 2:
        reason = "name the folder for the miniatures: python -m scripts.make_miniature_corpora FOLDER"
        raise UserError("argument-missing", "", reason)
    make(Path(sys.argv[1]))


if __name__ == "__main__":
    sys.exit(run(main))
