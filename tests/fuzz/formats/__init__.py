"""The formats by name: one entry per file, which brings whole files, damages them and reads them as the product
does."""

from tests.fuzz.formats import archives, documents, downloads, fonts, models, requests, scores, sounds, stores
from tests.fuzz.harness import Format

FORMATS: dict[str, Format] = {
    "audio": sounds.AUDIO,
    "midi": scores.MIDI,
    "soundfont": fonts.SOUNDFONT,
    "patch": fonts.PATCH,
    "store": stores.STORE,
    "model": models.MODEL,
    "onnx": models.ONNX,
    "yaml": documents.YAML,
    "json": documents.JSON,
    "table": documents.TABLE,
    "archive": archives.ARCHIVE,
    "download": downloads.DOWNLOAD,
    "request": requests.REQUEST,
}
