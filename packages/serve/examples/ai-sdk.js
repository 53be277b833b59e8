import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { streamText } from "ai";

const served = createOpenAICompatible({ name: "rag-ft", baseURL: "http://127.0.0.1:8640/v1" });
const { textStream } = streamText({ model: served("rag-ft"), prompt: "How do I set a proxy?" });
for await (const piece of textStream) process.stdout.write(piece);
