import pytest

from instrec.inference.summary import MIN_SHARE, Sounding, decided

WINDOW = 3.0


def played(name: str, seconds: float, *, of: float, probability: float = 0.9) -> Sounding:
    return Sounding(name, probability, ((0.0, seconds),), seconds / of)


def names(found, seconds: float) -> tuple[list[str], list[str]]:
    main, brief = decided(found, seconds=seconds, window_seconds=WINDOW)
    return [each.name for each in main], [each.name for each in brief]


@pytest.mark.parametrize("seconds", [0.1, 1.0, WINDOW])
def test_in_a_file_of_a_window_all_that_sounds_counts(seconds):
    found = [played("flute", 0.1, of=seconds, probability=0.6), played("violin", 0.1, of=seconds, probability=0.9)]
    assert names(found, seconds) == (["violin", "flute"], [])


def test_what_sounds_longest_comes_first():
    found = [played("flute", 20, of=60, probability=1.0), played("violin", 50, of=60, probability=0.5)]
    assert names(found, 60) == (["violin", "flute"], [])


@pytest.mark.parametrize("seconds", [60.0, 600.0, 3600.0])
def test_the_longer_the_file_the_longer_an_instrument_must_sound(seconds):
    least = MIN_SHARE * (seconds - WINDOW)
    found = [played("flute", least + 0.1, of=seconds), played("violin", least - 0.1, of=seconds, probability=1.0)]
    assert names(found, seconds) == (["flute"], ["violin"])


def test_a_medley_of_any_length_has_the_instruments_of_its_parts():
    """Were one second enough, the second name would appear in the long one."""
    for repetitions in (10, 100, 1000):
        seconds = 60.0 * repetitions
        found = [played("flute", 30.0 * repetitions, of=seconds), played("violin", 1.0 * repetitions, of=seconds)]
        assert names(found, seconds) == (["flute"], ["violin"])


def test_nothing_found_is_nothing():
    assert names([], 100.0) == ([], [])
