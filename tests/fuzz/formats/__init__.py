"""The formats by name: one entry per file, which brings whole files, damages them and reads them as the product
does."""

from tests.fuzz.formats import (
    archives,
    downloads,
    fonts,
    json_files,
    models,
    requests,
    scores,
    sounds,
    stores,
    tables,
    yaml_files,
)
from tests.fuzz.harness import Format

FORMATS: dict[str, Format] = {
    "audio": sounds.AUDIO,
    "midi": scores.MIDI,
    "soundfont": fonts.SOUNDFONT,
    "patch": fonts.PATCH,
    "store": stores.STORE,
    "model": models.MODEL,
    "onnx": models.ONNX,
    "yaml": yaml_files.YAML,
    "json": json_files.JSON,
    "table": tables.TABLE,
    "archive": archives.ARCHIVE,
    "download": downloads.DOWNLOAD,
    "request": requests.REQUEST,
}
