// How fast does a decoder answer, against transformers' generate, transformers.js and llama.cpp (F16, through node-llama-cpp)? 32 prompts of about 1,000
// tokens, 64 new tokens each, greedily, from token ids to token ids, on one machine's CPU. Every prompt begins with the same instruction; their passages
// differ. Each peer answers one at a time and several together, and its best is compared.
import { basename, join } from "node:path";
import { loadDecoder, saveDecoder, writeDecoderGguf } from "../packages/models/dist/index.js";
import { sequences } from "./data.mjs";
import { ANSWER_FORMULA } from "./flops.mjs";
import { openLlamaCpp } from "./llama-cpp.mjs";
import { Measurements, peer, report, threads, wanted, worker } from "./measure.mjs";
import { flags, quiet, requireData, requireModel, wholeNumber, withFolder } from "./tools.mjs";

/** Tokens of prompt and (discarded) answer: prompts are of about 1,000, unless --sizes LEAST,MOST says otherwise. */
const [least, most] = (flags.sizes ?? "1050,1130").split(",").map(Number);

const decoder = requireModel("decoder");
const seed = wholeNumber("seed", 0);
const rounds = flags.quick ? 1 : wholeNumber("rounds");
const count = wholeNumber("number") ?? (flags.quick ? 8 : 32);
const room = flags.quick ? 16 : 64;
/** Prompts of a trial of how many a peer answers at once. */
const TRIAL = flags.quick ? 4 : 8;

const prompts = (await sequences(requireData(), decoder, count, seed, { least, most })).map(({ prompt }) => prompt);
const lengths = prompts.map(({ length }) => length);
const key = { bench: "answer", decoder: basename(decoder), seed, room };
const full = new Measurements({ ...key, count });
const trials = new Measurements({ ...key, count: TRIAL });
console.log(
  `${count} prompts of ${Math.min(...lengths)} to ${Math.max(...lengths)} tokens, ${room} new tokens each; ${threads} threads, ${rounds} rounds; texts at once are tried on ${TRIAL}`,
);

const kinds = [
  { kind: "transformers-fp32", rows: [1, 4, 8] },
  { kind: "transformers-bf16", rows: [1, 4, 8] },
  { kind: "transformers.js", rows: [1] },
  ...((await openLlamaCpp()) ? [{ kind: "llama.cpp-f16", rows: [1, 8, 32] }] : []),
];
const configurations = kinds.flatMap(({ kind, rows }) =>
  rows.map((texts) => ({ side: `${kind}-${texts}`, kind, rows: texts })),
);

await withFolder(async (folder) => {
  const loaded = () => loadDecoder(decoder, quiet);
  const isAsked = (kind) => configurations.some((one) => one.kind === kind && wanted(one.side));
  const exported = join(folder, "exported");
  if (isAsked("transformers.js")) await saveDecoder(exported, await loaded());
  const gguf = join(folder, "model.gguf");
  if (isAsked("llama.cpp-f16")) await writeDecoderGguf(gguf, await loaded(), "F16", quiet.reporter);
  const run =
    ({ kind, rows }, some) =>
    () => {
      const request = { decoder, exported, gguf, prompts: some, room, rows };
      if (kind === "llama.cpp-f16") return worker(folder, "answer-llama-cpp.mjs", request);
      if (kind === "transformers.js") return worker(folder, "answer-transformers-js.mjs", request);
      return peer(folder, "answer.py", { ...request, precision: kind.replace("transformers-", "") });
    };
  const best = trials.fastest(configurations, (configuration) => run(configuration, prompts.slice(0, TRIAL)));
  for (let round = 0; round < rounds; round++) {
    full.peak();
    full.run("ours", () => worker(folder, "answer.mjs", { decoder, prompts, room }));
    for (const configuration of best) full.run(configuration.side, run(configuration, prompts));
  }
});

/** How many of a side's texts begin as ours do, in tokens that are the same until the first that differs. */
function sameTokens() {
  const ours = full.of("ours")[0]?.made;
  if (!ours) return undefined;
  const shares = {};
  for (const side of full.peers()) {
    const { made } = full.of(side)[0];
    const same = ours.map((ids, i) => {
      const differs = ids.findIndex((id, at) => id !== made[i][at]);
      return (differs < 0 ? ids.length : differs) / ids.length;
    });
    shares[side] = Number((same.reduce((a, b) => a + b, 0) / same.length).toFixed(3));
  }
  return shares;
}

report("answer", full, {
  units: ["answers", "tokens"],
  formula: ANSWER_FORMULA,
  more: {
    prompts: lengths,
    new_tokens: room,
    rounds,
    quick: flags.quick,
    seed,
    trial: trials.medians("answers"),
    same_tokens: sameTokens(),
  },
});
process.exit(0);
