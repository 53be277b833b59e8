// Does a checkpoint of ours mean the same to others? Vectors in transformers.js and sentence-transformers, greedy text in
// transformers.js and Python's transformers; a saved LoRA adapter in PEFT; and each family's folder in transformers.js and, as GGUF, in llama.cpp.
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createRandom } from "../packages/core/dist/index.js";
import {
  decoderAdapters,
  encoderAdapters,
  headModules,
  loadDecoder,
  loadEncoder,
  loadScorer,
  openEncoder,
  saveDecoder,
  saveEncoder,
  saveScorer,
  scorerAdapters,
  writeAdapter,
} from "../packages/models/dist/index.js";
import { deployedInterop } from "./deployed.mjs";
import { flags, python, quiet, realModel, SAMPLE, tinyModel, withFolder } from "./tools.mjs";

const require = createRequire(new URL("../packages/models/package.json", import.meta.url));
const { AutoModelForCausalLM, AutoTokenizer, env, pipeline } = await import(
  require.resolve("@huggingface/transformers")
);
env.allowRemoteModels = false;

const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);
const NEW_TOKENS = 40;

const encoderBase = flags.encoder ?? tinyModel("encoder");
const decoderBase = flags.decoder ?? tinyModel("decoder");

/** A model with adapters of random values, as a training stage saves it: merged, with `adapter/` beside. */
async function saveAdapted(folder, base, task, load, adapt, save) {
  const model = await load(base, quiet);
  const adapters = adapt(model, { r: 8, alpha: 12, targets: ["all-linear"], seed: 1 });
  const random = createRandom(2);
  for (const [name, { data }] of adapters.weights) {
    if (name.includes("lora_B")) data.set(Array.from(data, () => 0.1 * (random.next() - 0.5)));
  }
  await adapters.merge();
  await save(folder, model, (temporary) => writeAdapter(temporary, adapters, { base, task }));
  await adapters.close();
  return folder;
}

const PAIRS = SAMPLE.map((text, i) => [SAMPLE[(i + 1) % SAMPLE.length].slice(0, 30), text]);

/** A reranker made of the encoder, with a new head that only its adapter holds. */
async function saveAdaptedScorer(folder) {
  const scorer = await loadScorer(encoderBase, { ...quiet, newHead: 4 });
  const adapters = scorerAdapters(scorer, { r: 8, alpha: 12, targets: ["all-linear"], seed: 1 });
  const random = createRandom(3);
  for (const [name, { data }] of adapters.weights) {
    if (name.includes("lora_B")) data.set(Array.from(data, () => 0.1 * (random.next() - 0.5)));
  }
  await adapters.merge();
  const whole = headModules(scorer);
  await saveScorer(folder, scorer, (temporary) =>
    writeAdapter(temporary, adapters, { base: encoderBase, task: "SEQ_CLS", whole }),
  );
  await adapters.close();
  return folder;
}

/** PEFT's base and adapter against the merged model. */
async function loraInterop(folder) {
  const request = join(folder, "lora.json");
  writeFileSync(
    request,
    JSON.stringify({
      encoder_base: encoderBase,
      decoder_base: decoderBase,
      encoder: await saveAdapted(
        join(folder, "lora-encoder"),
        encoderBase,
        "FEATURE_EXTRACTION",
        loadEncoder,
        encoderAdapters,
        saveEncoder,
      ),
      decoder: await saveAdapted(
        join(folder, "lora-decoder"),
        decoderBase,
        "CAUSAL_LM",
        loadDecoder,
        decoderAdapters,
        saveDecoder,
      ),
      scorer_base: encoderBase,
      scorer: await saveAdaptedScorer(join(folder, "lora-scorer")),
      texts: SAMPLE,
      pairs: PAIRS,
    }),
  );
  const peer = python("interop_lora.py", request);
  for (const [kind, { error, change, names_equal, adapters }] of Object.entries(peer)) {
    console.log(
      `LoRA, ${kind}: PEFT loads ${adapters} tensors (${names_equal ? "all it asks for" : "NOT those it asks for"}), which change the base by ${(100 * change).toFixed(0)} %; its output is the merged model's to ${error.toExponential(1)} of that`,
    );
  }
  return peer;
}

/** One encoder and one decoder in transformers.js and in Python. */
async function checkpointInterop(folder) {
  const encoderFolder = join(folder, "encoder");
  const decoderFolder = join(folder, "decoder");
  await saveEncoder(encoderFolder, await loadEncoder(encoderBase, quiet));
  await saveDecoder(decoderFolder, await loadDecoder(decoderBase, quiet));

  const ours = await openEncoder(encoderFolder, { ...quiet, overrides: { similarity: "cosine" } });
  const { dimensions, settings } = ours;
  const vectors = await ours.embed(SAMPLE, "passage");
  await ours.close();
  const rows = SAMPLE.map((_, i) => vectors.subarray(i * dimensions, (i + 1) * dimensions));

  const extract = await pipeline("feature-extraction", encoderFolder, { dtype: "fp32" });
  const theirs = await extract(
    SAMPLE.map((text) => settings.passage_prefix + text),
    { pooling: settings.pooling, normalize: true },
  );
  const js = rows.map((row, i) => dot(row, theirs.data.subarray(i * dimensions, (i + 1) * dimensions)));

  const tokenizer = await AutoTokenizer.from_pretrained(decoderFolder);
  const model = await AutoModelForCausalLM.from_pretrained(decoderFolder, { dtype: "fp32" });
  const texts = [];
  for (const prompt of SAMPLE) {
    const inputs = tokenizer(prompt);
    const output = await model.generate({ ...inputs, max_new_tokens: NEW_TOKENS, do_sample: false });
    texts.push(tokenizer.decode(output.tolist()[0].slice(inputs.input_ids.dims[1]), { skip_special_tokens: true }));
  }
  const request = join(folder, "request.json");
  writeFileSync(
    request,
    JSON.stringify({ encoder: encoderFolder, decoder: decoderFolder, texts: SAMPLE, new_tokens: NEW_TOKENS }),
  );
  const peer = python("interop.py", request);
  const st = rows.map((row, i) => dot(row, peer.vectors[i]));
  texts.forEach((text, i) => {
    console.log(`${text === peer.greedy[i] ? "equal" : "DIFFER"}: ${JSON.stringify(text)}`);
    if (text !== peer.greedy[i]) console.log(`  Python: ${JSON.stringify(peer.greedy[i])}`);
  });
  return {
    lowest_cosine_transformers_js: Math.min(...js),
    lowest_cosine_sentence_transformers: Math.min(...st),
    equal_greedy_texts: texts.filter((text, i) => text === peer.greedy[i]).length,
    of: texts.length,
  };
}

const parts = flags.only?.split(",") ?? ["checkpoints", "lora", "deployed"];
const result = await withFolder(async (folder) => ({
  ...(parts.includes("checkpoints") ? await checkpointInterop(folder) : {}),
  ...(parts.includes("lora") ? { lora: await loraInterop(folder) } : {}),
  ...(parts.includes("deployed")
    ? {
        deployed: await deployedInterop(join(folder, "deployed"), {
          encoder: flags.encoder ?? realModel("encoder"),
          decoder: flags.decoder ?? realModel("decoder"),
        }),
      }
    : {}),
}));
console.log(JSON.stringify(result));
