import { ChatOpenAI, OpenAIEmbeddings } from "@langchain/openai";

const configuration = { baseURL: "http://127.0.0.1:8640/v1" };
const chat = new ChatOpenAI({ model: "rag-ft", apiKey: "none", configuration });
for await (const piece of await chat.stream("How do I set a proxy?")) process.stdout.write(piece.text);

const embeddings = new OpenAIEmbeddings({ model: "rag-ft", apiKey: "none", configuration });
console.log((await embeddings.embedQuery("How do I set a proxy?")).length);
