"""Every variant of every architecture, by one name: the parameters of section `model` that choose it."""

from typing import get_args, get_type_hints

from instrec.models import architectures
from instrec.params import ModelParams

NAMES: tuple[str, ...] = get_args(get_type_hints(ModelParams)["name"])
CHOICES = {
    name if variant == "default" else f"{name}_{variant}": {"name": name, "variant": variant}
    for name in NAMES
    for variant in architectures.variants(name)
}
