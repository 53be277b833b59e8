// Where does a training step's time go? ONNX Runtime's profile of each operator, matrix products with their rate, and what is done outside the
// graphs. Profiling costs a few per cent itself.
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createRandom } from "../packages/core/dist/index.js";
import {
  createTrainableDecoder,
  createTrainableEncoder,
  loadDecoder,
  loadEncoder,
} from "../packages/models/dist/index.js";
import { createContrastiveLoss, OptimizerLoop } from "../packages/train/dist/index.js";
import { answerBatches } from "../packages/train-generator/dist/index.js";
import { composeBatch, contrastiveStep, TokenCache } from "../packages/train-retriever/dist/index.js";
import { ENCODER_SETTINGS, sequences, TRAINING_SETTINGS as settings, trainingExamples } from "./data.mjs";
import { ourThreads, rounded } from "./measure.mjs";
import {
  flags,
  processor,
  quiet,
  requireData,
  requireModel,
  root,
  runJson,
  wholeNumber,
  withFolder,
} from "./tools.mjs";

const { InferenceSession } = createRequire(new URL("../packages/onnx/package.json", import.meta.url))(
  "onnxruntime-node",
);
const PRODUCTS = new Set(["Gemm", "MatMul", "FusedMatMul"]);
const session = { threads: ourThreads };

/** Profiles every session made by `work` and the seconds within `run`. */
async function profiled(folder, work) {
  const create = InferenceSession.create;
  const sessions = [];
  InferenceSession.create = async (model, options) => {
    const profileFilePrefix = join(folder, `session-${sessions.length}-`);
    const made = await create.call(InferenceSession, model, { ...options, enableProfiling: true, profileFilePrefix });
    const entry = { made, runs: 0, skipped: 0, seconds: 0 };
    const run = made.run;
    made.run = async (...inputs) => {
      const began = performance.now();
      try {
        return await run.apply(made, inputs);
      } finally {
        // Also of a run that ends before its outputs are copied, with an error: see `UNRETURNED` in packages/onnx/src/session.ts.
        entry.seconds += (performance.now() - began) / 1000;
        entry.runs++;
      }
    };
    sessions.push(entry);
    return made;
  };
  const startMeasuring = () => {
    for (const entry of sessions) Object.assign(entry, { skipped: entry.runs, seconds: 0 });
  };
  try {
    const parts = await work(startMeasuring);
    for (const { made } of sessions) made.endProfiling();
    return { parts, sessions };
  } finally {
    InferenceSession.create = create;
  }
}

const size = (shape) => shape.reduce((a, b) => a * b, 1);
const shapes = (types) => types.map((type) => Object.values(type)[0]);

/** Seconds and floating-point operations by operator, and by shape of a product, of a session's measured runs. */
function byOperator(events, skippedRuns) {
  const operators = new Map();
  const products = new Map();
  const add = (map, key, seconds, flops) => {
    const sum = map.get(key) ?? { seconds: 0, flops: 0 };
    map.set(key, { seconds: sum.seconds + seconds, flops: sum.flops + flops });
  };
  let runs = 0;
  for (const { cat, name, dur, args } of events) {
    if (name === "model_run") runs++;
    if (cat !== "Node" || runs < skippedRuns || !name.endsWith("_kernel_time")) continue;
    const seconds = dur / 1e6;
    if (!PRODUCTS.has(args.op_name)) {
      add(operators, args.op_name, seconds, 0);
      continue;
    }
    const [a, b] = shapes(args.input_type_shape);
    const [out] = shapes(args.output_type_shape);
    // The left factor's elements times the columns: every one is multiplied and added once a column.
    const flops = 2 * size(a) * out.at(-1);
    add(operators, args.op_name, seconds, flops);
    add(products, `${args.op_name} ${a.join("x")} by ${b.join("x")} to ${out.join("x")}`, seconds, flops);
  }
  return { operators, products };
}

function table(title, entries, total, most) {
  console.log(`\n${title}`);
  const sorted = [...entries].sort(([, a], [, b]) => b.seconds - a.seconds);
  for (const [name, { seconds, flops }] of sorted.slice(0, most)) {
    const rate = flops > 0 ? `${(flops / seconds / 1e9).toFixed(0)} GFLOP/s` : "";
    console.log(
      `${((100 * seconds) / total).toFixed(1).padStart(6)} % ${seconds.toFixed(3).padStart(8)} s  ${name}  ${rate}`,
    );
  }
  return Object.fromEntries(sorted.slice(0, most).map(([name, { seconds }]) => [name, rounded(seconds / total, 3)]));
}

/** `parts` are the step's seconds: in all, of the optimizer. */
function show(title, folder, { parts, sessions }) {
  const all = { operators: new Map(), products: new Map() };
  const files = readdirSync(folder);
  sessions.forEach(({ skipped }, i) => {
    const file = files.find((name) => name.startsWith(`session-${i}-`));
    const made = byOperator(JSON.parse(readFileSync(join(folder, file), "utf8")), skipped);
    for (const kind of ["operators", "products"])
      for (const [name, { seconds, flops }] of made[kind]) {
        const sum = all[kind].get(name) ?? { seconds: 0, flops: 0 };
        all[kind].set(name, { seconds: sum.seconds + seconds, flops: sum.flops + flops });
      }
  });
  const inRuns = sessions.reduce((sum, { seconds }) => sum + seconds, 0);
  const inOperators = [...all.operators.values()].reduce((sum, { seconds }) => sum + seconds, 0);
  const outside = {
    "between operators: scheduling, allocation, tensors in and out": { seconds: inRuns - inOperators, flops: 0 },
    optimizer: { seconds: parts.optimizer, flops: 0 },
    "JavaScript beside it": { seconds: parts.step - parts.optimizer - inRuns, flops: 0 },
  };
  const sessionTimes = sessions
    .filter(({ seconds }) => seconds > 0.01)
    .map(({ seconds, runs, skipped }) => `${seconds.toFixed(2)} s in ${runs - skipped} runs`);
  console.log(`\n== ${title}: a step of ${parts.step.toFixed(2)} s; sessions: ${sessionTimes.join(", ")}`);
  const shares = table("by operator", [...all.operators, ...Object.entries(outside)], parts.step, 24);
  table("products by shape", all.products, parts.step, 16);
  const products = [...all.operators].filter(([name]) => PRODUCTS.has(name)).map(([, sum]) => sum);
  const flops = products.reduce((sum, product) => sum + product.flops, 0);
  const seconds = products.reduce((sum, product) => sum + product.seconds, 0);
  return {
    seconds: rounded(parts.step),
    products: { share: rounded(seconds / parts.step, 3), gflops: rounded(flops / seconds / 1e9) },
    shares,
  };
}

const timed = async (work) => {
  const began = performance.now();
  const result = await work();
  return [(performance.now() - began) / 1000, result];
};

async function encoderStep(startMeasuring) {
  const encoder = await loadEncoder(requireModel("encoder"), { ...quiet, overrides: ENCODER_SETTINGS });
  const model = await createTrainableEncoder(encoder, session);
  const { dimensions } = encoder.graph;
  const loss = await createContrastiveLoss({ dimensions, similarity: "cosine", temperature: 0.05 }, session);
  const parameters = [...model.trained].map(([name, weight]) => ({ name, ...weight }));
  const optimizer = new OptimizerLoop(settings, 4);
  const examples = await trainingExamples(requireData(), wholeNumber("seed", 0));
  const step = async (batch) => {
    const composed = composeBatch(batch, 0, createRandom(0));
    const [gradients] = await timed(() => contrastiveStep(model, loss, new TokenCache(model), composed, 1));
    const [update] = await timed(() => optimizer.step(parameters, model.gradients));
    return { step: gradients + update, optimizer: update };
  };
  await step(examples.slice(0, 8));
  startMeasuring();
  return step(examples.slice(0, wholeNumber("batch") ?? 64));
}

async function decoderStep(startMeasuring) {
  const folder = requireModel("decoder");
  const decoder = await loadDecoder(folder, quiet);
  const model = await createTrainableDecoder(decoder, session);
  const parameters = [...model.trained].map(([name, weight]) => ({ name, ...weight }));
  const optimizer = new OptimizerLoop(settings, 4);
  const batch = wholeNumber("batch") ?? 1;
  const examples = await sequences(requireData(), folder, 2 * batch, wholeNumber("seed", 0));
  const step = async (batch) => {
    const [gradients] = await timed(async () => {
      for (const part of answerBatches(batch, decoder.tokenizer.padId).batches) await model.backward(part);
    });
    const [update] = await timed(() => optimizer.step(parameters, model.gradients));
    return { step: gradients + update, optimizer: update };
  };
  await step(examples.slice(0, batch));
  startMeasuring();
  return step(examples.slice(batch));
}

const result = {};
const { gflops } = runJson(process.execPath, [join(root, "bench/workers/sgemm.mjs"), String(ourThreads)]);
for (const [side, work] of Object.entries({ encoder: encoderStep, decoder: decoderStep })) {
  if (flags.only !== undefined && !flags.only.split(",").includes(side)) continue;
  await withFolder(async (folder) => {
    result[side] = show(side, folder, await profiled(folder, work));
  });
}
console.log(JSON.stringify({ bench: "profile", ...result, sgemm_gflops: gflops, processor }));
process.exit(0);
