import { openRag } from "rag-ft";

const rag = await openRag("result/quickstart");
for (const { document, score } of await rag.search("proxy", { limit: 3 })) console.log(score, document.metadata.source);
console.log((await rag.ask("How do I set a proxy?")).text);
for await (const event of rag.stream("How do I set a proxy?"))
  if (event.type === "text") process.stdout.write(event.text);
const [vector] = await rag.embed(["a question"]);
console.log(vector.length);
await rag.close();
