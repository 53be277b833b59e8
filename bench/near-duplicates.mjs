import { createRandom, formatTable } from "../packages/core/dist/index.js";
import { areNear, NearDuplicates, shingles } from "../packages/text/dist/index.js";
import { database } from "./data.mjs";
import { flags, processor, requireData } from "./tools.mjs";

const data = requireData();
const texts = (await database(data)).map((document) => document.page_content);
const timed = async (work) => {
  const began = performance.now();
  const result = await work();
  return { result, seconds: Number(((performance.now() - began) / 1000).toFixed(2)) };
};

const rows = [];
for (const size of flags.quick ? [3] : [1, 3, 5, 8]) {
  const { result: found, seconds } = await timed(() => NearDuplicates.find(texts, { shingleSize: size }));
  const sets = texts.map((text) => shingles(text, size));
  let missed = 0;
  let extra = 0;
  for (let a = 0; a < texts.length; a++) {
    const near = new Set(found.near(a));
    for (let b = 0; b < a; b++) {
      const truly = areNear(sets[a], sets[b]);
      if (truly && !near.has(b)) missed++;
      if (!truly && near.has(b)) extra++;
    }
  }
  const count = (test) => texts.filter((_, id) => test(id).length > 0).length;
  rows.push({
    words: size,
    contained: count((id) => found.containing(id)),
    "contained or containing": count((id) => found.near(id)),
    "pairs missed": missed,
    "pairs in excess": extra,
    seconds,
  });
}
console.log(`${texts.length} passages; contained: another passage has more than 80 % of its shingles`);
console.log(
  formatTable(
    rows,
    Object.keys(rows[0]).map((key) => (key === "seconds" ? { key, digits: 2 } : key)),
  ),
);

// Faire's passages with every fourth word replaced; every tenth passage is a copy of another one with one word in sixty replaced.
const PASSAGES = flags.quick ? 10_000 : 100_000;
const random = createRandom(1);
const words = [...new Set(texts.flatMap((text) => text.split(/\s+/)))];
const drawn = [];
for (let i = 0; i < PASSAGES; i++) {
  if (i % 10 === 9) {
    const copy = drawn[random.integer(drawn.length)].split(" ");
    for (let n = 0; n < copy.length / 60; n++) copy[random.integer(copy.length)] = words[random.integer(words.length)];
    drawn.push(copy.join(" "));
  } else {
    const text = texts[random.integer(texts.length)].split(/\s+/);
    // A window of one passage in which every fourth word is another: the vocabulary of real text, without its copies.
    drawn.push(text.map((word) => (random.integer(4) === 0 ? words[random.integer(words.length)] : word)).join(" "));
  }
}
const large = await timed(() => NearDuplicates.find(drawn));
const edited = drawn.map((_, id) => id).filter((id) => id % 10 === 9);
const found = edited.filter((id) => large.result.near(id).length > 0).length;
const average = Math.round(drawn.reduce((sum, text) => sum + text.split(" ").length, 0) / drawn.length);
console.log(
  `${PASSAGES} passages of ${average} words on average: ${large.seconds} s; ${found} of ${edited.length} edited copies found`,
);
console.log(
  JSON.stringify({
    bench: "near-duplicates",
    passages: texts.length,
    by_shingle: rows,
    large: { passages: PASSAGES, words: average, seconds: large.seconds, copies: edited.length, copies_found: found },
    processor,
  }),
);
