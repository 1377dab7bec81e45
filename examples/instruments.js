// From sound to instruments, as `instrec predict` does it (docs/predict.md): windows -> presence -> timeline -> stretches.

const [CELLS_PER_SECOND, FRAMES_PER_SECOND] = [10, 100];
const [SHORTEST_CELLS, GAP_CELLS, MIN_SHARE, MIN_ODDS] = [5, 5, 0.05, 4];
const level = (dbfs) => 10 ** (dbfs / 20);
const SILENCE_DBFS = -70, UNDER_LOUDEST_DB = 55, FAINTEST_DBFS = -75;
const WINDOW_DITHER_DBFS = -90, CELL_DITHER_DBFS = -80;
const BATCH = 4; // windows

/** What an exported model says of itself: the `metadata_props` of its file (onnx.proto, field 14 of ModelProto). */
export function about(bytes) {
  const text = new TextDecoder();
  const fields = function* (part) {
    let at = 0;
    const number = () => {
      let [value, unit] = [0, 1];
      for (;; unit *= 128) {
        const byte = part[at++];
        value += (byte & 127) * unit;
        if (byte < 128) return value;
      }
    };
    while (at < part.length) {
      const tag = number();
      if (tag % 8 === 0) number();
      else if (tag % 8 === 2) {
        const length = number();
        yield [Math.floor(tag / 8), part.subarray(at, at += length)];
      } else at += tag % 8 === 1 ? 8 : 4;
    }
  };
  const found = {};
  for (const [field, entry] of fields(bytes)) {
    if (field !== 14) continue;
    const [key, value] = [...fields(entry)].map(([, part]) => text.decode(part));
    found[key] = value;
  }
  const plain = ["classes", "thresholds", "sample_rate", "window_samples", "hop_samples"];
  return Object.fromEntries(plain.map((key) => [key, JSON.parse(found[key])]));
}

/**
 * Name the instruments of a sound.
 *
 * @param ort the package onnxruntime-web or onnxruntime-node, @param session of an exported model, @param model what
 * `about` says of it, @param samples mono at the model's rate, -1..1, @param progress called with 0..1.
 */
export async function predict(ort, session, model, samples, progress = () => {}) {
  const { classes, window_samples: size } = model;
  const [rate, total] = [model.sample_rate, samples.length];
  const { peaks, loudest, frame } = envelope(samples, rate);
  const onsets = [0];
  while (onsets.at(-1) + model.hop_samples + size <= total) onsets.push(onsets.at(-1) + model.hop_samples);
  if (onsets.at(-1) + size < total) onsets.push(total - size);
  const presence = onsets.map(() => new Float64Array(classes.length));
  const loud = [...onsets.keys()].filter((index) => {
    const window = samples.subarray(onsets[index], onsets[index] + size);
    return rms(window) >= silence(loudest, WINDOW_DITHER_DBFS);
  });
  for (let first = 0; first < loud.length; first += BATCH) {
    const batch = loud.slice(first, first + BATCH);
    const sound = new Float32Array(batch.length * size);
    batch.forEach((index, row) => sound.set(samples.subarray(onsets[index], onsets[index] + size), row * size));
    const given = await session.run({ samples: new ort.Tensor("float32", sound, [batch.length, size]) });
    batch.forEach((index, row) => {
      const any = given.count ? 1 - given.count.data[row * 4] : 1;
      for (let each = 0; each < classes.length; each++) {
        presence[index][each] = any * given.presence.data[row * classes.length + each];
      }
    });
    progress((first + batch.length) / loud.length);
    await new Promise((resolve) => setTimeout(resolve)); // lets a page draw
  }
  const cell = Math.max(1, Math.floor(rate / CELLS_PER_SECOND));
  const cells = Math.ceil(total / cell);
  const audible = Array.from({ length: cells }, (_, index) => {
    const [from, to] = [index, index + 1].map((each) => Math.floor((each * cell) / frame));
    return Math.max(...peaks.slice(from, index + 1 < cells ? Math.max(to, from + 1) : undefined)) >= silence(loudest, CELL_DITHER_DBFS);
  });
  const means = timeline(presence, onsets, { size, cell, cells, total });
  const seconds = (audible.filter(Boolean).length * cell) / rate;
  const found = classes.flatMap((name, each) => {
    const values = means.map((row, index) => (audible[index] ? row[each] : 0));
    const active = lasting(means.map((row) => row[each] >= model.thresholds[each])).map((on, index) => on && audible[index]);
    if (!active.includes(true)) return [];
    const segments = bridged(active).map((run) => run.map((end) => Math.min((end * cell) / rate, total / rate)));
    const share = Math.min(1, segments.reduce((sum, [start, end]) => sum + end - start, 0) / seconds);
    return [{ name, share, probability: Math.max(...values), segments, values }];
  });
  found.sort((one, other) => other.share - one.share || other.probability - one.probability);
  const behind = Math.max(0, seconds - size / rate);
  const odds = 1 + (MIN_ODDS - 1) * Math.min(1, (behind * rate) / size);
  const raised = (threshold) => (odds * threshold) / (1 + (odds - 1) * threshold);
  const needed = Object.fromEntries(classes.map((name, each) => [name, raised(model.thresholds[each])]));
  const counts = ({ name, share, probability }) => share * seconds >= MIN_SHARE * behind && probability >= needed[name];
  return {
    seconds: total / rate,
    instruments: found.filter(counts),
    doubtful: found.filter((each) => !counts(each)),
    peaks,
  };
}

/** The highest magnitude of every 10 ms, and the RMS level of the loudest of them around its own mean. */
function envelope(samples, rate) {
  const frame = Math.floor(rate / FRAMES_PER_SECOND);
  const peaks = new Float32Array(Math.ceil(samples.length / frame));
  let loudest = 0;
  peaks.forEach((_, index) => {
    let [sum, squares] = [0, 0];
    for (const y of samples.subarray(index * frame, (index + 1) * frame)) {
      peaks[index] = Math.max(peaks[index], Math.abs(y));
      sum += y;
      squares += y * y;
    }
    loudest = Math.max(loudest, squares / frame - (sum / frame) ** 2);
  });
  return { peaks, frame, loudest: Math.sqrt(loudest) };
}

function silence(loudest, dither) {
  const dbfs = 20 * Math.log10(Math.max(loudest, 1e-10));
  if (dbfs < FAINTEST_DBFS) return Infinity;
  return level(Math.min(SILENCE_DBFS, Math.max(dither, dbfs - UNDER_LOUDEST_DB)));
}

const rms = (window) => Math.sqrt(window.reduce((sum, y) => sum + y * y, 0) / window.length);

/** The mean presence of the windows that cover the middle of each cell of 0.1 s. */
function timeline(presence, onsets, { size, cell, cells, total }) {
  let [first, last] = [0, 0];
  return Array.from({ length: cells }, (_, index) => {
    const middle = Math.min((index + 0.5) * cell, total - 0.5);
    while (last < onsets.length && onsets[last] <= middle) last++;
    while (onsets[first] <= middle - size) first++;
    return presence[0].map((_, each) => {
      let sum = 0;
      for (let window = first; window < last; window++) sum += presence[window][each];
      return sum / (last - first);
    });
  });
}

/** [first, behind the last] of every stretch of cells that are on. */
function runs(active) {
  const found = [];
  active.forEach((on, index) => {
    if (on && !active[index - 1]) found.push([index, index + 1]);
    else if (on) found.at(-1)[1]++;
  });
  return found;
}

function lasting(active) {
  const kept = active.map(() => false);
  for (const [start, end] of runs(active)) {
    if (end - start >= Math.min(SHORTEST_CELLS, active.length)) kept.fill(true, start, end);
  }
  return kept;
}

function bridged(active) {
  return runs(active).reduce((merged, [start, end]) => {
    if (merged.length && start - merged.at(-1)[1] <= GAP_CELLS) merged.at(-1)[1] = end;
    else merged.push([start, end]);
    return merged;
  }, []);
}
