// Our side of bench/answer.mjs: all prompts are asked for at once, as test-e2e does. Prints JSON.
import { readFileSync } from "node:fs";
import { likeliest, loadDecoder, openGeneration } from "../../packages/models/dist/index.js";
import { peakRssMb } from "../../packages/train/dist/index.js";
import { answerFlops } from "../flops.mjs";
import { flags, quiet } from "../tools.mjs";
import { printAnswers } from "./print-answers.mjs";

const { decoder: folder, threads, prompts, room } = JSON.parse(readFileSync(flags.request, "utf8"));
const generation = await openGeneration(await loadDecoder(folder, quiet), { threads });
const answer = (prompt, most) =>
  generation.continue({ prompt, room: most, ends: new Set(), choose: likeliest }).then(({ made }) => made);
await answer(prompts[0].slice(0, 64), 2);
const began = performance.now();
const made = await Promise.all(prompts.map((prompt) => answer(prompt, room)));
const seconds = (performance.now() - began) / 1000;
printAnswers(prompts, made, { seconds, flops: [answerFlops(folder, prompts, room)], peak_rss_mb: peakRssMb() });
process.exit(0);
