import { readdirSync } from "node:fs";
import { createSession, floatTensor, intTensor, type ModelSource, quantisedModel, type Tensor } from "@rag-ft/onnx";
import { expect, it } from "vitest";
import { knownUses } from "../graph/architectures.js";
import { readConfig } from "../graph/config.js";
import { relativeError } from "../testing/relative-error.js";
import { fixture, tinyDecoder, tinyEncoder } from "../testing/tiny-models.js";
import { exportDecoder } from "./export-decoder.js";
import { exportEncoder } from "./export-encoder.js";

const IDS = [1, 5, 9, 30, 7, 17, 4];
const ids = intTensor(IDS, [1, IDS.length]);
const ones = intTensor(new Array(IDS.length).fill(1), [1, IDS.length]);
const zeros = intTensor(new Array(IDS.length).fill(0), [1, IDS.length]);

async function runOnce(source: ModelSource, inputs: Record<string, Tensor>, output: string): Promise<Float32Array> {
  const session = await createSession(source);
  const found = (await session.run(inputs))[output]?.data as Float32Array;
  await session.close();
  return found;
}

/** Linear layers that are in 8 bits. */
const matrices = ({ weights }: ModelSource): number =>
  [...(weights?.keys() ?? [])].filter((name) => name.endsWith("_quantized")).length;

/** Widths of these models are no multiples of 32: their blocks are part empty. */
it.each(readdirSync(fixture("")).filter((name) => name.startsWith("tiny-")))(
  "%s in 8 bits is near itself",
  async (name) => {
    const { decoder } = knownUses(await readConfig(fixture(name)));
    const isDecoder = decoder && !name.includes("embedding");
    let source: ModelSource;
    let inputs: Record<string, Tensor> = { input_ids: ids, attention_mask: ones };
    if (isDecoder) {
      const loaded = await tinyDecoder(name);
      source = exportDecoder(loaded);
      const { layers, keyValueHeads, headSize } = loaded.graph;
      const empty = floatTensor(new Float32Array(0), [1, keyValueHeads, 0, headSize]);
      const past = Array.from({ length: layers }, (_, layer) =>
        ["key", "value"].map((part) => [`past_key_values.${layer}.${part}`, empty]),
      );
      const positions = intTensor(
        IDS.map((_, i) => i),
        [1, IDS.length],
      );
      inputs = {
        ...inputs,
        position_ids: positions,
        num_logits_to_keep: intTensor([0], []),
        ...Object.fromEntries(past.flat()),
      };
    } else {
      source = exportEncoder(await tinyEncoder(name, "mean"));
      inputs.token_type_ids = zeros;
    }
    const output = isDecoder ? "logits" : "last_hidden_state";
    const quantised = quantisedModel(source);
    expect(matrices(quantised)).toBeGreaterThan(7);
    const error = relativeError(await runOnce(quantised, inputs, output), await runOnce(source, inputs, output));
    expect(error).toBeLessThan(0.06);
    expect(error).toBeGreaterThan(1e-4);
  },
);
