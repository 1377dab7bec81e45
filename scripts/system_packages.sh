#!/usr/bin/env bash
# Install FluidSynth, the SoundFonts and the voices of Singers.sf2 from Debian's packages where that is allowed; else
# say what to type.
# --browser: also Chromium, in which the tests open the page of `instrec dev report`, unless there is a browser of its kind.
set -eu
packages=(libfluidsynth3 fluid-soundfont-gm timgm6mb-soundfont csound-soundfont musescore-general-soundfont minuet-data denemo-data freepats
    festival festvox-kallpc16k festvox-kdlpc16k festvox-italp16k festvox-itapc16k festvox-suopuhe-lj festvox-suopuhe-mv
    festvox-czech-dita festvox-czech-krb festvox-czech-machac festvox-czech-ph espeak-ng)
[ "${1-}" = --browser ] && ! type -P chromium google-chrome >/dev/null && packages+=(chromium)
missing=()
for package in "${packages[@]}"; do
    dpkg-query --show --showformat='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0
command="apt-get install --yes --no-install-recommends ${missing[*]}"
if ! command -v apt-get >/dev/null; then
    echo "error: ${missing[*]} are missing and this is not Debian or Ubuntu; \`instrec doctor\` says what is needed" >&2
    exit 2
elif [ "$(id -u)" = 0 ]; then
    sudo=
elif sudo --non-interactive true 2>/dev/null; then
    sudo="sudo --non-interactive"
else
    echo "error: packages are missing and installing them needs rights; type: sudo apt-get update && sudo $command" >&2
    exit 2
fi
echo "installing ${missing[*]}"
$sudo apt-get update -qq
DEBIAN_FRONTEND=noninteractive $sudo $command -qq >/dev/null
