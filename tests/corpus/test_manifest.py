"""Rows come back as they were; what is no manifest is named with the stage to run."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instrec.corpus import manifest
from tests.refusals import refused

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]))
CLIPS = st.builds(
    manifest.Clip,
    id=TEXT,
    split=st.sampled_from(["train", "valid", "seen_clean"]),
    source=st.sampled_from([manifest.RECORDING, manifest.SCORE]),
    path=TEXT,
    onset=st.floats(0, 1e6),
    labels=st.lists(st.sampled_from(["violin", "double_bass", "drums"]), unique=True).map(tuple),
    group=TEXT,
    soundfont=TEXT,
    noise=st.sampled_from([manifest.CLEAN, manifest.NOISY]),
    seed=st.integers(0, 2**64),
    unknown=st.lists(st.sampled_from(["oboe", "gm_125"]), unique=True).map(tuple),
)


@given(st.lists(CLIPS, max_size=5))
def test_clips_come_back_as_they_were(tmp_path_factory, clips):
    path = tmp_path_factory.mktemp("manifest") / "build/manifest.csv"
    manifest.write(path, clips)
    assert manifest.read(path) == clips


def test_unknown_labels_stand_after_the_others(tmp_path):
    clip = manifest.Clip("a", "train", "score", "", 0.0, ("cello",), "g", "f.sf2", "clean", 1)
    manifest.write(tmp_path / "a.csv", [clip, replace(clip, unknown=("flute", "oboe"))])
    header, sure, unsure = (tmp_path / "a.csv").read_text().splitlines()
    assert header == "id,split,source,path,onset,labels,group,soundfont,noise,seed"
    assert sure == "a,train,score,,0.0,cello,g,f.sf2,clean,1"
    assert unsure == "a,train,score,,0.0,cello ?flute ?oboe,g,f.sf2,clean,1"


@given(st.lists(CLIPS, max_size=20))
def test_splits_part_the_clips_and_keep_their_order(clips):
    names = manifest.splits(clips)
    assert len(set(names)) == len(names)
    parts = [manifest.of_split(clips, name) for name in names]
    assert sorted(repr(clip) for part in parts for clip in part) == sorted(map(repr, clips))
    for name, part in zip(names, parts, strict=True):
        assert part == [clip for clip in clips if clip.split == name]


@pytest.mark.parametrize(
    "content",
    [
        None,
        b"",
        b"a,b\n1,2\n",
        b"\xff\xfe\x00",
        b"id,split,source,path,onset,labels,group,soundfont,noise,seed\ntrain/a,train\n",
        b"id,split,source,path,onset,labels,group,soundfont,noise,seed\na,train,score,,late,,g,f,clean,1\n",
        b"id,split,source,path,onset,labels,group,soundfont,noise,seed\na,train,score,,0,,g,f,clean,1,extra\n",
        b"id,split,source,path,onset,labels,group,soundfont,noise,seed,unknown\na,train,score,,0,,g,f,clean,1,oboe\n",
        b"id,split,source,path,onset,labels,group,soundfont,noise,seed\na,train,score,,nan,,g,f,clean,1\n",
        b"id,split,source,path,onset,labels,group,soundfont,noise,seed\na,train,score,,-1,,g,f,clean,1\n",
        b"id,split,source,path,onset,labels,group,soundfont,noise,seed\na,train,score,,0,,g,f,clean,-1\n",
    ],
)
def test_what_is_no_manifest_is_named_with_the_stage_to_run(tmp_path, content):
    path = tmp_path / "manifest.csv"
    if content is not None:
        path.write_bytes(content)
    with refused("table-invalid", path, "`dvc repro balance`"):
        manifest.read(path)
