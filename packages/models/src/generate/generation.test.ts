import { createRandom } from "@rag-ft/core";
import { createSession, floatTensor, intTensor, type ModelSource, type Session } from "@rag-ft/onnx";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LoadedDecoder } from "../decoder/load-decoder.js";
import { exportDecoder } from "../export/export-decoder.js";
import { Parameters } from "../graph/parameters.js";
import { TINY_DECODERS, tinyDecoder } from "../testing/tiny-models.js";
import { likeliest, sampled } from "./choose-token.js";
import { Generation, type GenerationSettings, openGeneration } from "./generation.js";
import { generationGraph } from "./generation-graph.js";

const NEW = 12;
const ENDS = new Set([2]);

/** Prompts of random ids: of very different lengths, some with a common beginning, one twice. */
function prompts(count: number, seed: number): number[][] {
  const random = createRandom(seed);
  const ids = (length: number): number[] => Array.from({ length }, () => 3 + random.integer(37));
  const start = ids(24);
  const made = Array.from({ length: count }, (_, i) => {
    if (i % 3 === 0) return [...start, ...ids(1 + random.integer(20))];
    return ids(1 + random.integer(40));
  });
  return [...made, [...(made[0] as number[])]];
}

/** What the exported graph makes when it is given the whole text for each token: no cache, no batch. */
async function alone(decoder: LoadedDecoder, session: Session, prompt: readonly number[]): Promise<number[]> {
  const { layers, keyValueHeads, headSize, vocabularySize } = decoder.graph;
  const empty = floatTensor(new Float32Array(0), [1, keyValueHeads, 0, headSize]);
  const past = Object.fromEntries(
    Array.from({ length: layers }, (_, i) => i).flatMap((i) =>
      ["key", "value"].map((part) => [`past_key_values.${i}.${part}`, empty]),
    ),
  );
  const made: number[] = [];
  while (made.length < NEW && !ENDS.has(made.at(-1) ?? -1)) {
    const text = [...prompt, ...made];
    const shape = [1, text.length];
    const { logits } = await session.run({
      ...past,
      input_ids: intTensor(text, shape),
      attention_mask: intTensor(new Array(text.length).fill(1), shape),
      position_ids: intTensor([...text.keys()], shape),
      num_logits_to_keep: intTensor([1], []),
    });
    expect(logits?.data.length).toBe(vocabularySize);
    made.push(likeliest(logits?.data as Float32Array));
  }
  return made;
}

async function withGeneration<T>(
  decoder: LoadedDecoder,
  settings: GenerationSettings,
  work: (generation: Generation) => Promise<T>,
): Promise<T> {
  const generation = await openGeneration(decoder, settings);
  try {
    return await work(generation);
  } finally {
    await generation.close();
  }
}

const greedily = async (generation: Generation, some: readonly number[][]): Promise<number[][]> =>
  Promise.all(
    some.map(async (prompt) => (await generation.continue({ prompt, room: NEW, ends: ENDS, choose: likeliest })).made),
  );

describe.each(TINY_DECODERS)("%s", (name) => {
  let decoder: LoadedDecoder;
  let expected: number[][];
  const texts = prompts(13, 3);
  beforeAll(async () => {
    decoder = await tinyDecoder(name);
    const session = await createSession(exportDecoder(decoder));
    expected = [];
    for (const prompt of texts) expected.push(await alone(decoder, session, prompt));
    await session.close();
  });

  it("makes the tokens that the exported graph makes without a cache, whoever shares the run", async () => {
    expect(new Set(expected.flat()).size).toBeGreaterThan(3);
    for (const settings of [{ texts: 1 }, { texts: 4 }, {}, { cacheBytes: 1 }])
      expect(await withGeneration(decoder, settings, (generation) => greedily(generation, texts))).toEqual(expected);
  });
});

describe("of a tiny decoder", () => {
  let decoder: LoadedDecoder;
  let generation: Generation;
  beforeAll(async () => {
    decoder = await tinyDecoder("tiny-llama");
    generation = await openGeneration(decoder, { texts: 4 });
  });
  afterAll(() => generation.close());
  const text = { room: NEW, ends: new Set<number>(), choose: likeliest };

  it("draws by the text's own seed, whoever shares the run", async () => {
    const some = prompts(6, 9);
    const draw = (prompt: number[], seed: number): Promise<number[]> =>
      generation.continue({ ...text, prompt, choose: sampled(1.5, seed) }).then(({ made }) => made);
    const together = await Promise.all(some.map(draw));
    for (const [seed, prompt] of some.entries()) expect(await draw(prompt, seed)).toEqual(together[seed]);
    expect(new Set(together.map(String)).size).toBeGreaterThan(1);
  });

  it("draws each token as often as the softmax says", () => {
    const choose = sampled(2, 1);
    const logits = Float32Array.of(0, 2 * Math.log(2), 2 * Math.log(5), Number.NEGATIVE_INFINITY);
    const counts = [0, 0, 0, 0];
    for (let i = 0; i < 8000; i++) counts[choose(logits)]++;
    // Four standard deviations.
    [1 / 8, 2 / 8, 5 / 8, 0].forEach((share, id) => {
      expect(Math.abs((counts[id] as number) - 8000 * share)).toBeLessThanOrEqual(
        4 * Math.sqrt(8000 * share * (1 - share)),
      );
    });
  });

  it("ends a text when its watch says so or throws, and goes on with the others", async () => {
    const some = prompts(6, 4);
    const whole = await Promise.all(some.map((prompt) => generation.continue({ ...text, prompt })));
    const ended = await Promise.allSettled(
      some.map((prompt, i) =>
        generation.continue({
          ...text,
          prompt,
          watch: (made) => {
            if (i === 1 && made.length === 3) throw new Error("stopped");
            return i === 2 && made.length === 5;
          },
        }),
      ),
    );
    expect(ended[1]).toMatchObject({ status: "rejected", reason: { message: "stopped" } });
    expect(ended[2]).toMatchObject({ value: { made: whole[2]?.made.slice(0, 5) } });
    for (const i of [0, 3, 4, 5]) expect(ended[i]).toMatchObject({ value: { made: whole[i]?.made } });
  });

  it("shares the time of a run among its texts", async () => {
    const began = performance.now();
    const all = await Promise.all(prompts(8, 5).map((prompt) => generation.continue({ ...text, prompt })));
    const wall = (performance.now() - began) / 1000;
    const sum = all.reduce((total, { seconds }) => total + seconds, 0);
    expect(Math.min(...all.map(({ seconds }) => seconds))).toBeGreaterThan(0);
    expect(sum).toBeLessThanOrEqual(wall);
    expect(sum).toBeGreaterThan(wall / 10);
  });

  /** Generation over a session of the test's own. */
  const source = (): ModelSource => ({
    outputs: generationGraph(decoder.graph, new Parameters()),
    weights: decoder.weights,
  });
  const over = (session: Session): Generation => new Generation(decoder.graph, session, { texts: 4, cacheBytes: 1e9 });

  it("makes the same with weights too large for one ONNX file, which are inputs", async () => {
    const large = over(await createSession(source(), {}, 1000));
    const some = prompts(6, 8);
    expect(await greedily(large, some)).toEqual(await greedily(generation, some));
    await large.close();
  });

  it("rejects what was under way when a run fails, and answers what is asked afterwards", async () => {
    const session = await createSession(source());
    let runs = 0;
    const failing: Session = {
      ...session,
      run: (inputs, into) => (++runs === 5 ? Promise.reject(new Error("out of memory")) : session.run(inputs, into)),
    };
    const broken = over(failing);
    const some = prompts(6, 8);
    const all = await Promise.allSettled(some.map((prompt) => broken.continue({ ...text, prompt })));
    expect(all.every(({ status }) => status === "rejected")).toBe(true);
    expect(await greedily(broken, some)).toEqual(await greedily(generation, some));
    await broken.close();
  });

  it("computes a common beginning once", async () => {
    const session = await createSession(source());
    const rows: number[] = [];
    const counting: Session = {
      ...session,
      run(inputs, into) {
        rows.push(Number(inputs.ids?.shape.reduce((a, b) => a * b, 1)));
        return session.run(inputs, into);
      },
    };
    const counted = over(counting);
    const start = Array.from({ length: 30 }, (_, i) => 3 + i);
    await Promise.all([4, 5, 6].map((id) => counted.continue({ ...text, room: 1, prompt: [...start, id, 7] })));
    await counted.close();
    expect(rows).toEqual([32, 2, 2]);
  });
});
