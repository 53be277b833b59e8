import OpenAI from "openai";

const client = new OpenAI({ baseURL: "http://127.0.0.1:8640/v1", apiKey: "none" });
const stream = await client.chat.completions.create({
  model: "rag-ft",
  messages: [{ role: "user", content: "How do I set a proxy?" }],
  stream: true,
});
for await (const chunk of stream) process.stdout.write(chunk.choices[0]?.delta.content ?? "");
