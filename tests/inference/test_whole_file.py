import pytest

from instrec.inference.whole_file import MIN_ODDS, MIN_SHARE, Sounding, decided, raised

WINDOW = 3.0


def played(name: str, seconds: float, *, of: float, probability: float = 0.9) -> Sounding:
    return Sounding(name, probability, ((0.0, seconds),), seconds / of)


def names(found, seconds: float, **thresholds: float) -> tuple[list[str], list[str]]:
    main, doubtful = decided(found, thresholds=thresholds, seconds=seconds, window_seconds=WINDOW)
    return [each.name for each in main], [each.name for each in doubtful]


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


@pytest.mark.parametrize("threshold", [0.01, 0.3, 0.5, 0.9])
def test_from_two_windows_on_an_instrument_must_be_surer_than_its_threshold(threshold):
    odds = MIN_ODDS * threshold / (1 - threshold)
    needed = odds / (1 + odds)
    for seconds in (2 * WINDOW, 600.0):
        for probability, counts in ((needed + 1e-9, True), (needed - 1e-9, False)):
            found = [played("flute", seconds, of=seconds, probability=probability)]
            assert names(found, seconds, flute=threshold) == ((["flute"], []) if counts else ([], ["flute"]))


def test_the_needed_probability_rises_steadily_from_one_window_to_two():
    found = [played("flute", 9.0, of=9.0, probability=0.6)]
    lengths = [each / 10 for each in range(30, 61)]
    counted = [names(found, seconds, flute=0.5) == (["flute"], []) for seconds in lengths]
    assert counted == sorted(counted, reverse=True)
    assert counted[0]
    assert not counted[-1]
    assert raised(0.5, 1.5) == pytest.approx(0.6)


def test_nothing_found_is_nothing():
    assert names([], 100.0) == ([], [])
