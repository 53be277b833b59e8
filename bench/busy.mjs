// What is left of the rate of embedding and of training while another process keeps a core busy? Quiet and busy rounds take turns, each side a process
// of its own: threads that spin while they wait (threads 0), the setting auto, and one thread.
import { spawn } from "node:child_process";
import { loadavg } from "node:os";
import { createRandom } from "../packages/core/dist/index.js";
import { median, worker } from "./measure.mjs";
import { cores, flags, processor, requireModel, tinyModel, wholeNumber, withFolder } from "./tools.mjs";

const SIDES = { spinning: 0, auto: -1, "one thread": 1 };
const TEXTS = 64;
const SECONDS = flags.quick ? 1 : 3;
const rounds = flags.quick ? 2 : wholeNumber("rounds");
const encoder = flags.encoder ? requireModel("encoder") : tinyModel("encoder");

const random = createRandom(wholeNumber("seed", 0));
const texts = Array.from({ length: TEXTS }, () =>
  Array.from(
    { length: 40 + random.integer(60) },
    () => "setting timeout server of the client".split(" ")[random.integer(6)],
  ).join(" "),
);
const request = { encoder, overrides: {}, texts, seconds: SECONDS };

/** A process that does nothing but keep a core busy, until it is killed. */
const spin = () => spawn(process.execPath, ["-e", "for (;;);"], { stdio: "ignore" });

if (loadavg()[0] > 1.5)
  console.error(
    `load ${loadavg()[0].toFixed(1)}: others are at work, so "quiet" is not; figures of such a machine say little`,
  );
const rates = Object.fromEntries(Object.keys(SIDES).map((side) => [side, { quiet: [], busy: [] }]));
await withFolder(async (folder) => {
  for (let round = 0; round < rounds; round++)
    for (const state of ["quiet", "busy"])
      for (const [side, threads] of Object.entries(SIDES)) {
        const other = state === "busy" ? spin() : undefined;
        try {
          rates[side][state].push(worker(folder, "busy.mjs", { ...request, threads }));
        } finally {
          other?.kill("SIGKILL");
        }
      }
});

console.log("| threads | embedding, quiet | busy | kept | training, quiet | busy | kept |");
console.log("| --- | --- | --- | --- | --- | --- | --- |");
const result = {};
for (const [side, measured] of Object.entries(rates)) {
  const cells = ["embed", "train"].flatMap((what) => {
    const [quiet, busy] = ["quiet", "busy"].map((state) => median(measured[state].map((one) => one[what])));
    result[side] = { ...result[side], [what]: { quiet, busy, kept: busy / quiet } };
    return [`${quiet.toFixed(1)}/s`, `${busy.toFixed(1)}/s`, `${((100 * busy) / quiet).toFixed(0)} %`];
  });
  console.log(`| ${side} | ${cells.join(" | ")} |`);
}
console.log(
  JSON.stringify({ bench: "busy", processor, cores, rounds, seconds: SECONDS, load: loadavg()[0], rates: result }),
);
