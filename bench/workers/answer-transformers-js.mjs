// transformers.js' side of bench/answer.mjs: `generate` on the folder that we export, one prompt after the other. Prints JSON.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { flags } from "../tools.mjs";
import { printAnswers } from "./print-answers.mjs";

const require = createRequire(new URL("../../packages/models/package.json", import.meta.url));
const { AutoModelForCausalLM, env, Tensor } = await import(require.resolve("@huggingface/transformers"));
env.allowRemoteModels = false;

const { exported, prompts, room, threads } = JSON.parse(readFileSync(flags.request, "utf8"));
const model = await AutoModelForCausalLM.from_pretrained(exported, {
  dtype: "fp32",
  session_options: threads > 0 ? { intraOpNumThreads: threads } : {},
});

async function answer(prompt, most) {
  const shape = [1, prompt.length];
  const output = await model.generate({
    input_ids: new Tensor("int64", BigInt64Array.from(prompt, BigInt), shape),
    attention_mask: new Tensor("int64", new BigInt64Array(prompt.length).fill(1n), shape),
    do_sample: false,
    max_new_tokens: most,
    min_new_tokens: most,
  });
  return output.tolist()[0].slice(prompt.length).map(Number);
}

await answer(prompts[0].slice(0, 64), 2);
const began = performance.now();
const made = [];
for (const prompt of prompts) made.push(await answer(prompt, room));
const seconds = (performance.now() - began) / 1000;
const peak_rss_mb = Math.round(process.resourceUsage().maxRSS / 1024);
printAnswers(prompts, made, { seconds, peak_rss_mb, versions: { "transformers.js": env.version } });
process.exit(0);
