import { generateText, streamText } from "ai";
import { openRag } from "rag-ft";
import { createRagFt } from "rag-ft-ai-sdk";

const rag = await openRag("result/quickstart");
const ragFt = createRagFt(rag);

const { textStream, sources } = streamText({ model: ragFt(), prompt: "How do I set a proxy?" });
for await (const piece of textStream) process.stdout.write(piece);
for (const { title, providerMetadata } of await sources) console.log(title, providerMetadata.ragFt.score);

const { text } = await generateText({
  model: ragFt(),
  prompt: "How do I set a proxy?",
  providerOptions: { ragFt: { limit: 1, filter: { source: "network.md" } } },
});
console.log(text);
await rag.close();
