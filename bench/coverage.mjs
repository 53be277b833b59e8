// How often does a 95 % interval hold the true value, and how often does a test between two equal runs find a difference? Questions are
// drawn from populations whose true mean is known, again and again. Shares are worked out exactly; the rest is simulated, with a seed.
import { createRandom } from "../packages/core/dist/index.js";
import { bootstrapInterval, estimateMean, pairedDifference, wilsonInterval } from "../packages/metrics/dist/index.js";
import { flags, wholeNumber } from "./tools.mjs";

const SIZES = [75, 93, 300];
const ROUNDS = flags.quick ? 400 : 2000;
const RESAMPLES = 2000;
const random = createRandom(wholeNumber("seed", 0));

/** Values with their probabilities, the last one taking the rest. */
const discrete = (values, shares) => ({
  mean: values.reduce((sum, value, i) => sum + value * shares[i], 0),
  draw() {
    let left = random.next();
    for (let i = 0; i < values.length - 1; i++) {
      left -= shares[i];
      if (left < 0) return values[i];
    }
    return values.at(-1);
  },
});

/** Sum of `a + b` exponentials, of which the first a: Beta(a, b) for whole numbers. */
function beta(a, b) {
  let first = 0;
  let all = 0;
  for (let i = 0; i < a + b; i++) {
    const value = -Math.log(1 - random.next());
    all += value;
    if (i < a) first += value;
  }
  return first / all;
}

/** Zeros, ones and in between a beta distribution, as ROUGE and F1 of answers are. */
const mixed = (zeros, ones, a, b) => ({
  mean: ones + (1 - zeros - ones) * (a / (a + b)),
  draw() {
    const u = random.next();
    if (u < zeros) return 0;
    return u < zeros + ones ? 1 : beta(a, b);
  },
});

const POPULATIONS = {
  "reciprocal rank": discrete([1, 1 / 2, 1 / 3, 1 / 4, 1 / 7, 0], [0.4, 0.15, 0.1, 0.08, 0.1, 0.17]),
  "reciprocal rank, good retriever": discrete([1, 1 / 2, 1 / 3, 1 / 4, 0], [0.8, 0.1, 0.05, 0.02, 0.03]),
  "recall of two gold passages": discrete([1, 0.5, 0], [0.4, 0.35, 0.25]),
  F1: mixed(0.15, 0.1, 2, 4),
  "ROUGE-L, weak generator": mixed(0.3, 0, 1, 6),
};

const share = (hits) => hits / ROUNDS;
const shown = (value) => value.toFixed(3);

/** Exact: the sum of the probabilities of all counts whose interval holds `p`. */
function wilsonCoverage(n, p) {
  let covered = 0;
  let log = n * Math.log(1 - p);
  for (let k = 0; k <= n; k++) {
    const { low, high } = wilsonInterval(k, n);
    if (low <= p && p <= high) covered += Math.exp(log);
    log += Math.log(((n - k) / (k + 1)) * (p / (1 - p)));
  }
  return covered;
}

const quantile = (sorted, at) => sorted[Math.min(sorted.length - 1, Math.max(0, Math.round(at * (sorted.length - 1))))];
const normal = (x) => {
  // Abramowitz and Stegun 26.2.17.
  const t = 1 / (1 + 0.2316419 * Math.abs(x));
  const tail =
    (Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)) *
    t *
    (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return x < 0 ? tail : 1 - tail;
};
function normalPoint(p) {
  let [low, high] = [-8, 8];
  for (let i = 0; i < 50; i++) {
    const middle = (low + high) / 2;
    if (normal(middle) < p) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** The two customary bootstrap intervals that the packages do not take: plain percentile and BCa (Efron 1987). */
function customaryIntervals(values) {
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const means = Float64Array.from({ length: RESAMPLES }, () => {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += values[random.integer(n)];
    return sum / n;
  }).sort();
  const below = means.reduce((count, value) => count + (value < mean ? 1 : value === mean ? 0.5 : 0), 0) / RESAMPLES;
  const bias = normalPoint(below);
  const squares = values.reduce((sum, value) => sum + (mean - value) ** 2, 0);
  const acceleration = values.reduce((sum, value) => sum + (mean - value) ** 3, 0) / (6 * squares ** 1.5) || 0;
  const adjusted = (z) => normal(bias + (bias + z) / (1 - acceleration * (bias + z)));
  return {
    percentile: [quantile(means, 0.025), quantile(means, 0.975)],
    bca: [quantile(means, adjusted(-1.96)), quantile(means, adjusted(1.96))],
  };
}

function meanCoverage(population, n) {
  const hits = { ours: 0, percentile: 0, bca: 0 };
  for (let round = 0; round < ROUNDS; round++) {
    const values = Array.from({ length: n }, population.draw);
    const { low, high } = bootstrapInterval(values, { seed: round, resamples: RESAMPLES });
    const holds = (a, b) => Number(a <= population.mean && population.mean <= b);
    const { percentile, bca } = customaryIntervals(values);
    hits.ours += holds(low, high);
    hits.percentile += holds(...percentile);
    hits.bca += holds(...bca);
  }
  return Object.fromEntries(Object.entries(hits).map(([name, count]) => [name, share(count)]));
}

/** Two runs over the same questions: `draw` gives both figures of a question. */
function pairedCoverage(draw, truth, n) {
  let covered = 0;
  let found = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const rows = Array.from({ length: n }, draw);
    const result = pairedDifference(
      rows.map(([a]) => a),
      rows.map(([, b]) => b),
      { seed: round, resamples: RESAMPLES },
    );
    // Ends that are equal to the truth on paper hold it.
    if (result.low <= truth + 1e-12 && truth - 1e-12 <= result.high) covered++;
    if (result.p_value < 0.05) found++;
  }
  return { coverage: share(covered), found: share(found) };
}

/** Right or wrong: `wins` of the questions only b has right, `losses` only a. */
const rightOrWrong = (wins, losses) => () => {
  const u = random.next();
  if (u < wins) return [0, 1];
  if (u < wins + losses) return [1, 0];
  return u < (1 + wins + losses) / 2 ? [1, 1] : [0, 0];
};
/** Six of ten answers are the same in both runs; the others are independent. */
const answers = (population) => () => {
  const a = population.draw();
  return [a, random.next() < 0.6 ? a : population.draw()];
};

/** Questions of shared sources: half of what is good about a question is its source's. Shares when `binary`, else figures between 0 and 1. */
function clusteredCoverage({ count, each, binary }) {
  const hits = { by_source: 0, without: 0 };
  const sources = Array.from({ length: count * each }, (_, i) => String(Math.floor(i / each)));
  for (let round = 0; round < ROUNDS; round++) {
    const good = Array.from({ length: count }, () => random.next());
    const values = sources.map((source) => {
      const chance = random.next() < 0.5 ? good[source] : random.next();
      return binary ? Number(random.next() < chance) : chance;
    });
    const options = { seed: round, resamples: RESAMPLES };
    const holds = ({ low, high }) => Number(low <= 0.5 && 0.5 <= high);
    hits.by_source += holds(estimateMean(values, { ...options, sources }));
    hits.without += holds(estimateMean(values, options));
  }
  return Object.fromEntries(Object.entries(hits).map(([name, held]) => [name, share(held)]));
}

const worst = { low: 1, high: 0 };
const note = (coverage) => {
  worst.low = Math.min(worst.low, coverage);
  worst.high = Math.max(worst.high, coverage);
  return coverage;
};
const result = {
  bench: "coverage",
  wilson: {},
  bootstrap: {},
  clustered: {},
  paired: {},
  equal_runs_found_different: {},
};

// --clustered: only what shared sources do.
if (!flags.clustered) {
  console.log("Shares (Wilson), exact");
  for (const n of SIZES) {
    const shares = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];
    const each = Object.fromEntries(shares.map((p) => [p, note(wilsonCoverage(n, p))]));
    const fine = Array.from({ length: 901 }, (_, i) => wilsonCoverage(n, 0.05 + i / 1000));
    const average = fine.reduce((sum, value) => sum + value, 0) / fine.length;
    result.wilson[n] = { mean: average, least: Math.min(...fine), most: Math.max(...fine) };
    console.log(
      `  n ${n}: ${shares.map((p) => `p ${p} ${shown(each[p])}`).join("  ")}; over p from 0.05 to 0.95 mean ${shown(average)}, ` +
        `from ${shown(Math.min(...fine))} to ${shown(Math.max(...fine))}`,
    );
  }
  console.log(`Means (bootstrap): ours, and for comparison plain percentile and BCa; ${ROUNDS} rounds`);
  for (const [name, population] of Object.entries(POPULATIONS)) {
    result.bootstrap[name] = {};
    for (const n of SIZES) {
      const { ours, percentile, bca } = meanCoverage(population, n);
      result.bootstrap[name][n] = note(ours);
      console.log(`  ${name}, n ${n}: ${shown(ours)} (percentile ${shown(percentile)}, BCa ${shown(bca)})`);
    }
  }
}
console.log("Questions of shared sources, nominal 95 %: by source, and as if they were independent");
for (const binary of [true, false]) {
  for (const [count, each] of [
    [2, 5],
    [4, 5],
    [7, 5],
    [15, 5],
    [30, 3],
    [60, 5],
  ]) {
    const name = `${binary ? "shares" : "means"}, ${count} sources of ${each}`;
    const found = clusteredCoverage({ count, each, binary });
    result.clustered[name] = found;
    console.log(`  ${name}: by source ${shown(found.by_source)}, without ${shown(found.without)}`);
  }
}
if (!flags.clustered) {
  console.log("Differences of two runs: coverage, and how often p < 0.05");
  const PAIRS = {
    "right or wrong, 10 % gained, 5 % lost": [rightOrWrong(0.1, 0.05), 0.05],
    "right or wrong, 25 % gained, 10 % lost": [rightOrWrong(0.25, 0.1), 0.15],
    "right or wrong, equal, 20 % differ": [rightOrWrong(0.1, 0.1), 0],
    "F1, equal, 40 % differ": [answers(POPULATIONS.F1), 0],
    "reciprocal rank, equal, 40 % differ": [answers(POPULATIONS["reciprocal rank"]), 0],
  };
  for (const [name, [draw, truth]] of Object.entries(PAIRS)) {
    result.paired[name] = {};
    if (truth === 0) result.equal_runs_found_different[name] = {};
    for (const n of SIZES) {
      const { coverage, found } = pairedCoverage(draw, truth, n);
      result.paired[name][n] = note(coverage);
      if (truth === 0) result.equal_runs_found_different[name][n] = found;
      console.log(`  ${name}, n ${n}: ${shown(coverage)}, p < 0.05 in ${shown(found)}`);
    }
  }
}
const rounded = JSON.parse(
  JSON.stringify({ ...result, least: worst.low, most: worst.high, rounds: ROUNDS }, (_, value) =>
    typeof value === "number" ? Math.round(value * 1e4) / 1e4 : value,
  ),
);
console.log(JSON.stringify(rounded));
