// llama.cpp's side of bench/answer.mjs, through node-llama-cpp, which decodes its sequences together. Prints JSON.
import { readFileSync } from "node:fs";
import { openLlamaCpp } from "../llama-cpp.mjs";
import { cores, flags } from "../tools.mjs";
import { printAnswers } from "./print-answers.mjs";

const { gguf, prompts, room, rows, threads } = JSON.parse(readFileSync(flags.request, "utf8"));
const used = threads > 0 ? threads : cores;
const llama = await openLlamaCpp(used);
const model = await llama.loadModel({ modelPath: gguf });
const longest = Math.max(...prompts.map(({ length }) => length)) + room;
const context = await model.createContext({
  sequences: rows,
  contextSize: Math.ceil(longest / 256) * 256,
  batchSize: 512,
  threads: used,
});

async function answer(sequence, prompt, most) {
  await sequence.clearHistory();
  const made = [];
  for await (const token of sequence.evaluate(prompt, { temperature: 0, yieldEogToken: true })) {
    made.push(Number(token));
    if (made.length === most) break;
  }
  return made;
}

const sequences = Array.from({ length: rows }, () => context.getSequence());
await answer(sequences[0], prompts[0].slice(0, 64), 2);
const made = new Array(prompts.length);
let next = 0;
const began = performance.now();
await Promise.all(
  sequences.map(async (sequence) => {
    while (next < prompts.length) {
      const index = next++;
      made[index] = await answer(sequence, prompts[index], room);
    }
  }),
);
const seconds = (performance.now() - began) / 1000;
const peak_rss_mb = Math.round(process.resourceUsage().maxRSS / 1024);
printAnswers(prompts, made, { seconds, peak_rss_mb, versions: { "llama.cpp": llama.llamaCppRelease.release } });
process.exit(0);
