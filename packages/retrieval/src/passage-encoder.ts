// The interface is the models' package's; retrieval takes any encoder of this shape, OpenAI's too.
export type { EmbedOptions, EncoderSettings, PassageEncoder } from "@rag-ft/models";
