// What matrix products in bf16 are worth: the rate of each product alone, packing included, against ONNX Runtime's fp32, by turns; and with --quality, losses and recall of
// 20 steps of contrastive training in both precisions.

import { createRandom, formatTable } from "../packages/core/dist/index.js";
import { bf16Kernel, createSession, floatTensor, input, matmul } from "../packages/onnx/dist/index.js";
import { ENCODER_SETTINGS, evaluationExamples, TRAINING_SETTINGS, trainingExamples } from "./data.mjs";
import { median, ourThreads, rounded, worker } from "./measure.mjs";
import { flags, missing, processor, requireData, requireModel, wholeNumber, withFolder } from "./tools.mjs";

const kernel = bf16Kernel() ?? missing("This processor has neither AVX512_BF16 nor AMX.");
const rounds = flags.quick ? 3 : wholeNumber("rounds") * 5;

const TRANSPOSES = [
  [false, false],
  [false, true],
  [true, false],
  [true, true],
];
/** Rows, columns, inner; with 1,000 tokens and the widths of small encoders and decoders. */
const SINGLE = [
  [1000, 384, 384],
  [1000, 1536, 384],
  [1000, 384, 1536],
  [1000, 576, 576],
  [1000, 1536, 576],
  [1000, 576, 1536],
  [384, 1536, 1000],
];
/** Attention: batch times heads, rows, columns, inner. */
const BATCHES = [
  [96, 128, 128, 33],
  [96, 128, 32, 128],
  [36, 256, 256, 64],
  [36, 256, 64, 256],
];

const random = createRandom(1);
const numbers = (count) => Float32Array.from({ length: count }, () => random.next() * 2 - 1);

async function rates(batch, [rows, columns, inner], [transA, transB]) {
  const lead = batch === undefined ? [] : [batch];
  const shapes = {
    a: [...lead, ...(transA ? [inner, rows] : [rows, inner])],
    b: [...lead, ...(transB ? [columns, inner] : [inner, columns])],
    c: [...lead, rows, columns],
  };
  const size = (shape) => shape.reduce((x, y) => x * y, 1);
  const tensors = Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [name, floatTensor(numbers(size(shape)), shape)]),
  );
  const c = matmul(input("a", "float32", shapes.a), input("b", "float32", shapes.b), { transA, transB });
  const flops = 2 * size(shapes.c) * inner;
  const repeats = Math.max(1, Math.round(1e9 / flops));
  const seconds = { fp32: [], bf16: [] };
  const { a, b } = tensors;
  // One session at a time: the threads of another would spin beside it.
  for (let turn = 0; turn < 2; turn++)
    for (const precision of ["fp32", "bf16"]) {
      const session = await createSession({ outputs: { c } }, { precision, threads: ourThreads });
      for (let round = 0; round <= rounds; round++) {
        const began = performance.now();
        for (let i = 0; i < repeats; i++) await session.run({ a, b }, { c: tensors.c });
        if (round > 0) seconds[precision].push((performance.now() - began) / 1000 / repeats);
      }
      await session.close();
    }
  return { flops, fp32: median(seconds.fp32), bf16: median(seconds.bf16) };
}

async function speed() {
  const rows = [];
  const sums = {};
  const cases = [
    ...SINGLE.flatMap((sizes) => TRANSPOSES.map((transposed) => ({ kind: "products", sizes, transposed }))),
    ...BATCHES.flatMap(([batch, ...sizes]) =>
      TRANSPOSES.slice(0, 3).map((transposed) => ({ kind: "batches of attention", batch, sizes, transposed })),
    ),
  ];
  for (const { kind, batch, sizes, transposed } of cases) {
    const { flops, ...seconds } = await rates(batch, sizes, transposed);
    sums[kind] ??= { flops: 0, fp32: 0, bf16: 0 };
    sums[kind].flops += flops;
    sums[kind].fp32 += seconds.fp32;
    sums[kind].bf16 += seconds.bf16;
    rows.push({
      product: `${batch === undefined ? "" : `${batch} x `}${sizes.join(" x ")} ${transposed.map((is) => (is ? "T" : "N")).join("")}`,
      "fp32, GFLOP/s": (flops / seconds.fp32 / 1e9).toFixed(0),
      "bf16, GFLOP/s": (flops / seconds.bf16 / 1e9).toFixed(0),
      ratio: (seconds.fp32 / seconds.bf16).toFixed(2),
    });
  }
  console.log(formatTable(rows, Object.keys(rows[0])));
  const result = Object.fromEntries(
    Object.entries(sums).map(([kind, { flops, fp32, bf16 }]) => [
      kind,
      {
        fp32_gflops: rounded(flops / fp32 / 1e9),
        bf16_gflops: rounded(flops / bf16 / 1e9),
        ratio: rounded(fp32 / bf16, 3),
      },
    ]),
  );
  console.log(JSON.stringify({ bench: "bf16", kernel, rounds, ...result, processor }));
}

/** The same batches in both precisions; figures of the eval questions over Faire's database, searched in fp32. */
async function quality() {
  const encoder = requireModel("encoder");
  const data = requireData();
  const seed = wholeNumber("seed", 0);
  const batch = wholeNumber("batch") ?? 64;
  const steps = flags.quick ? 2 : 20;
  const all = await trainingExamples(data, seed);
  const batches = Array.from({ length: steps }, (_, i) =>
    Array.from({ length: batch }, (_, j) => all[(i * batch + j) % all.length]),
  );
  const questions = await evaluationExamples(data);
  await withFolder((folder) => {
    const result = {};
    for (const precision of ["fp32", "bf16"]) {
      const save = `${folder}/${precision}`;
      const request = {
        encoder,
        overrides: ENCODER_SETTINGS,
        temperature: 0.05,
        settings: TRAINING_SETTINGS,
        batches,
        steps,
        save,
      };
      const { losses, seconds } = worker(folder, "retriever.mjs", { ...request, precision });
      result[precision] = {
        losses,
        seconds: seconds.reduce((a, b) => a + b, 0),
        ...worker(folder, "evaluate.mjs", { encoder: save, overrides: ENCODER_SETTINGS, data }),
      };
    }
    const worst = Math.max(...result.fp32.losses.map((loss, i) => Math.abs(result.bf16.losses[i] / loss - 1)));
    for (const [precision, { losses, seconds, ...figures }] of Object.entries(result))
      console.log(
        `${precision}: loss ${losses[0].toFixed(4)} to ${losses.at(-1).toFixed(4)}, ${seconds.toFixed(1)} s, ${JSON.stringify(figures)}`,
      );
    console.log(
      JSON.stringify({
        bench: "bf16",
        kernel,
        steps,
        batch,
        questions: questions.length,
        largest_difference_of_losses: rounded(worst),
        ...result,
        processor,
      }),
    );
  });
}

if (flags.quality) await quality();
else await speed();
