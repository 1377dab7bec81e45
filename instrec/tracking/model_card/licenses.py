"""The licenses and authors of SoundFonts.

Sources: `/usr/share/doc/PACKAGE/copyright` of Debian's packages, `libraries.yaml` for sound libraries.
"""

from __future__ import annotations

from typing import NamedTuple

from instrec.errors import UserError
from instrec.synthesis.soundfonts import libraries


class Terms(NamedTuple):
    """A license, its authors, and the Debian package or file that names both."""

    license: str
    holders: str
    source: str


_FLUID = "2000-2002, 2008 Frank Wen"
_MUSESCORE = "2018-2021 S. Christian Collins; parts 2014-2017 Michael Cowgill, " + _FLUID
_MIT_PARTS = "MIT, parts CC0 or public domain"

TERMS = {
    "FluidR3_GM.sf2": Terms("MIT", _FLUID, "fluid-soundfont-gm"),
    "FluidR3Mono_GM.sf3": Terms("MIT", f"2014-2017 Michael Cowgill; {_FLUID}", "fluidr3mono-gm-soundfont"),
    "MuseScore_General_Full.sf3": Terms(_MIT_PARTS, _MUSESCORE, "musescore-general-soundfont"),
    "MuseScore_General_Lite.sf3": Terms(_MIT_PARTS, _MUSESCORE, "musescore-general-soundfont-small"),
    "OPL-3_FM_128M.sf2": Terms("CC BY-SA 4.0", "2009 Zandro Reveille", "opl3-soundfont"),
    "GeneralUser-v1.47.sf2": Terms(
        "GeneralUser GS 2.0: any use, changes too", "1997-2015 S. Christian Collins", "minuet-data"
    ),
    "A320U.sf2": Terms("GPL-2", "2005 Milton Paredes", "denemo-data"),
    "sf_GMbank.sf2": Terms("public domain, by the file's own license field", "none", "csound-soundfont"),
    "TimGM6mb.sf2": Terms("GPL-2", "2004 Tim Brechbill, 2010 David Bolton", "timgm6mb-soundfont"),
    "FreePats.sf2": Terms("GPL-2 or later; music made with it is free", "2004 Free Software Foundation", "freepats"),
    "Singers.sf2": Terms(
        "voices under free terms of CSTR and CMU, GPL-2 or later, LGPL-2.1; eSpeak NG under GPL-3 or later",
        "CSTR, University of Edinburgh; Carnegie Mellon University; IFM Development Team; University of Helsinki; "
        "Brailcom; Jonathan Duddington and others",
        "festival, festvox-*, espeak-ng",
    ),
    "Black_Pearl_4_LV2.sf2": Terms("CC BY-SA 3.0", "2015 Glen MacArthur", "avldrums.lv2-soundfont"),
    "Red_Zeppelin_4_LV2.sf2": Terms("CC BY-SA 3.0", "2015 Glen MacArthur", "avldrums.lv2-soundfont"),
}


def terms(soundfont: str) -> Terms:
    """Return the terms of a SoundFont by its file name.

    Raises
    ------
    UserError
        If they are not known.
    """
    if soundfont in TERMS:
        return TERMS[soundfont]
    catalog = libraries.catalog()
    if soundfont not in catalog.soundfonts:
        raise UserError(
            "license-unknown",
            soundfont,
            "its license is not known; look it up and add it to instrec/tracking/model_card/licenses.py",
        )
    names = dict.fromkeys(instrument.repository for instrument in catalog.soundfonts[soundfont])
    repositories = [catalog.repositories[name] for name in names]
    licenses, holders = (dict.fromkeys(getattr(each, key) for each in repositories) for key in ("license", "holder"))
    return Terms("; ".join(licenses), "; ".join(holders), str(libraries.CATALOG))
