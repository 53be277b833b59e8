import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Reporter } from "@rag-ft/core";
import {
  createSession,
  floatTensor,
  type RunTensor,
  type Session,
  type SessionSettings,
  type Tensor,
} from "@rag-ft/onnx";
import { HIDDEN_INPUT, type LayerBoundary } from "../graph/layer-boundary.js";
import { hashWeight } from "../weights/hash-weight.js";
import type { WeightTensor } from "../weights/weight-tensor.js";
import { type FrozenPart, frozenPartOf, type ModelInFolder } from "./frozen-part.js";
import { KeptStates, type Purpose } from "./kept-states.js";

/** Which layers are frozen, and where what they compute is kept. */
export interface FreezeSettings {
  /** The embeddings and so many first layers are held fixed. */
  layers: number;
  /** Bytes of memory for what they compute of each text (default 0). */
  memoryBytes?: number;
  /** Folder for what finds no room there; whoever gives it removes it when training is done. Left out: that is computed anew each time. */
  folder?: string;
  /** Told of damaged files. */
  reporter?: Pick<Reporter, "warn">;
}

/** A batch of padded rows that can be taken apart again. */
export interface RowBatch {
  dims: Readonly<Record<string, number>>;
  /** Tokens of each row, before the padding. */
  lengths: readonly number[];
  inputs: Readonly<Record<string, Tensor>>;
}

/** Inputs [batch, tokens] of the frozen layers. */
const TOKEN_INPUTS = ["ids", "mask", "types"];

/** Version of what is kept on disk. */
const FORMAT = 1;

/**
 * The frozen layers of a model in training, without dropout: what they compute of a text never changes, so that it is computed once and kept.
 *
 * 1. A text goes through them by itself, without padding: what comes of it depends on no other text, and whether it is kept, where, and since when makes no
 *    difference to any bit of the training.
 * 2. It is kept under a hash of its token ids (and types), which hold prompt and truncation: in memory up to a budget, beyond that on disk.
 * 3. The rows of a batch are put together again, padded with zeros, as an input of the graph of the layers above.
 */
export class FrozenLayers {
  readonly part: FrozenPart;
  private readonly kept: KeptStates;
  private readonly width: number;
  private session: Promise<Session> | undefined;

  /** @param inputs The weights as inputs of a graph. */
  constructor(
    private readonly boundary: LayerBoundary,
    private readonly model: ModelInFolder,
    private readonly inputs: Readonly<Record<string, RunTensor>>,
    { memoryBytes = 0, folder, reporter }: FreezeSettings,
    private readonly settings: SessionSettings = {},
  ) {
    this.part = frozenPartOf(boundary, model);
    this.width = Number(boundary.requireBelow(model.folder).shape.at(-1));
    this.kept = new KeptStates({
      memoryBytes,
      folder,
      identity: () => this.identity(),
      warn: (message) => reporter?.warn(message),
    });
  }

  /** The weights that are not frozen. */
  above(): Map<string, WeightTensor> {
    return new Map([...this.model.weights].filter(([name]) => !this.part.weights.has(name)));
  }

  /** What the frozen layers compute of a batch, as the input of the graph above: [rows = batch · tokens, hidden], zeros for padding. */
  async inputsOf({ dims, lengths, inputs }: RowBatch, purpose: Purpose): Promise<Record<string, Tensor>> {
    const { width } = this;
    const tokens = dims.tokens as number;
    const states = new Float32Array(lengths.length * tokens * width);
    for (const [row, length] of lengths.entries()) {
      const own: Record<string, Tensor> = {};
      const key = createHash("sha256");
      for (const name of TOKEN_INPUTS) {
        const data = inputs[name]?.data as BigInt64Array | undefined;
        if (!data) continue;
        const part = data.subarray(row * tokens, row * tokens + length);
        own[name] = { dtype: "int64", shape: [1, length], data: part };
        key.update(name).update(new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
      }
      const make = (): Promise<Float32Array> => this.compute(own);
      states.set(await this.kept.of(key.digest("hex"), length * width, purpose, make), row * tokens * width);
    }
    return { [HIDDEN_INPUT]: floatTensor(states, [lengths.length * tokens, width]) };
  }

  async close(): Promise<void> {
    await (await this.session)?.close();
  }

  private async compute(text: Readonly<Record<string, Tensor>>): Promise<Float32Array> {
    this.session ??= createSession(
      { outputs: { states: this.boundary.requireBelow(this.model.folder) } },
      this.settings,
    );
    const results = await (await this.session).run({ ...this.inputs, ...text });
    return results.states?.data as Float32Array;
  }

  /** A hash of all that the states depend on besides the text. */
  private async identity(): Promise<string> {
    const { folder, weights } = this.model;
    const { device = "cpu", precision = "fp32" } = this.settings;
    const hash = createHash("sha256").update(JSON.stringify([FORMAT, this.part.layers, device, precision]));
    hash.update(await readFile(join(folder, "config.json")));
    for (const name of [...this.part.weights].sort()) {
      const weight = weights.get(name);
      if (weight) hashWeight(hash, name, weight.data);
    }
    return hash.digest("hex");
  }
}
