export { bf16Kernel, type Precision, precisionHere, requireDevice } from "@rag-ft/onnx";
export * from "./cache/graph-cache.js";
export * from "./chat/chat-format.js";
export * from "./chat/open-prompt.js";
export * from "./chat/write-chat-template.js";
export * from "./checkpoint/read-encoder-settings.js";
export * from "./checkpoint/saved-encoder-settings.js";
export { writeSentenceTransformersFiles } from "./checkpoint/sentence-transformers-files.js";
export { copyModelSideFiles } from "./checkpoint/side-files.js";
export * from "./decoder/answer-batch.js";
export * from "./decoder/answer-loss.js";
export * from "./decoder/answer-scorer.js";
export * from "./decoder/decoder-architecture.js";
export * from "./decoder/load-decoder.js";
export * from "./decoder/trainable-decoder.js";
export * from "./encoder/dropout.js";
export * from "./encoder/embed-texts.js";
export * from "./encoder/encoder-architecture.js";
export * from "./encoder/encoder-settings.js";
export * from "./encoder/load-encoder.js";
export * from "./encoder/passage-encoder.js";
export * from "./encoder/pooling.js";
export * from "./encoder/token-batch.js";
export * from "./encoder/trainable-encoder.js";
export * from "./export/ensure-onnx-decoder.js";
export * from "./export/export-decoder.js";
export * from "./export/export-encoder.js";
export * from "./export/save-decoder.js";
export * from "./export/save-encoder.js";
export * from "./export/write-quantised.js";
export * from "./frozen/find-frozen-part.js";
export { type FreezeSettings, FrozenLayers } from "./frozen/frozen-layers.js";
export { describeFrozen, type FrozenPart } from "./frozen/frozen-part.js";
export * from "./generate/choose-token.js";
export {
  type Continuation,
  type Continued,
  Generation,
  type GenerationSettings,
  MOST_TEXTS,
  openGeneration,
} from "./generate/generation.js";
export { cacheBytesPerToken } from "./generate/text-cache.js";
export { type GgufPrecision, writeDecoderGguf, writeEncoderGguf } from "./gguf/write-gguf.js";
export { decoderArchitecture, encoderArchitecture, knownUses } from "./graph/architectures.js";
export { parseConfig, type RawConfig, readConfig } from "./graph/config.js";
export * from "./graph/gradient-session.js";
export { LayerBoundary } from "./graph/layer-boundary.js";
export * from "./graph/parameters.js";
export * from "./graph/weight-inputs.js";
export { type ResolveModelOptions, resolveModelFolder } from "./hub/resolve-model-folder.js";
export * from "./lora/create-adapters.js";
export * from "./lora/lora-adapters.js";
export * from "./lora/write-adapter.js";
export * from "./scorer/load-scorer.js";
export * from "./scorer/pair-batch.js";
export { encodePairFor, type PairFormat } from "./scorer/pair-format.js";
export * from "./scorer/pair-scorer.js";
export * from "./scorer/save-scorer.js";
export { headModules } from "./scorer/scorer-heads.js";
export * from "./scorer/trainable-scorer.js";
export * from "./tokenizer/load-tokenizer.js";
export * from "./tokenizer/pair-tokens.js";
export * from "./tokenizer/tokenizer.js";
export * from "./tokenizer/within-vocabulary.js";
export { type HalfType, HalfWeight } from "./weights/half-weight.js";
export * from "./weights/hash-model.js";
export * from "./weights/load-weights.js";
export * from "./weights/random-weights.js";
export { readSafetensors } from "./weights/read-safetensors.js";
export * from "./weights/restore-weights.js";
export * from "./weights/tensor-files.js";
export * from "./weights/weight-tensor.js";
export * from "./weights/write-safetensors.js";
