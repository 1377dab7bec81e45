"""The measurement of growth goes on after what its file has, and draws it."""

import json

from benchmarks import growth


def test_it_measures_only_what_its_file_lacks(tmp_path, monkeypatch):
    monkeypatch.setattr(growth, "PLOT", tmp_path / "growth.png")
    known = [
        {"clips": size, "stage": stage, "seconds": 1.0, "peak_mib": 100}
        for size in (1000, 10000)
        for stage in (*growth.STAGES, growth.NOTHING)
    ]
    (tmp_path / "growth.jsonl").write_text("".join(json.dumps(row) + "\n" for row in known[:-1]))
    asked = []
    monkeypatch.setattr(growth, "repository_of", lambda folder, size: folder / str(size))
    monkeypatch.setattr(
        growth, "measured", lambda place, stage: asked.append((place.name, stage)) or {"seconds": 1.0, "peak_mib": 100}
    )
    assert list(growth.rows(tmp_path, [1000, 10000])) == known
    assert asked == [("10000", growth.NOTHING)]
    assert list(growth.rows(tmp_path, [1000, 10000])) == known
    assert len(asked) == 1
    growth.draw(known)
    assert growth.PLOT.read_bytes().startswith(b"\x89PNG")
