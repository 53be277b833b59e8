import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createRandom } from "@rag-ft/core";

const THINGS = [
  "cluster",
  "notebook",
  "job",
  "dashboard",
  "catalog",
  "pipeline",
  "warehouse",
  "secret",
  "table",
  "token",
  "volume",
  "webhook",
];
/** Each part has words of its own, so that the passages of a guide do not repeat each other. */
const PARTS = {
  Creating: ["owner region schema alert version", "opens copies starts enters", "menu console"],
  Sharing: ["policy folder invoice backup release", "sends shows grants lends", "sidebar toolbar"],
  Renaming: ["branch query memory driver report", "checks moves writes drops", "settings archive"],
  Monitoring: ["quota label mirror metric bucket", "lists reads plots counts", "history editor"],
};
const SENTENCES = 6;

/** A dozen short guides in Markdown, each with a section for every part: enough for one passage a section. */
export async function writeGuides(folder: string): Promise<void> {
  const random = createRandom(11);
  await mkdir(folder, { recursive: true });
  for (const thing of THINGS) {
    const sections = Object.entries(PARTS).map(([part, words]) => {
      const [nouns = [], verbs = [], places = []] = words.map((list) => list.split(" "));
      const pick = (list: readonly string[]): string => list[random.integer(list.length)] ?? "";
      const sentences = Array.from(
        { length: SENTENCES },
        () => `The ${pick(nouns)} ${pick(verbs)} the ${pick(nouns)} and ${pick(nouns)} from the ${pick(places)}.`,
      );
      return `## ${part} a ${thing}\n\n${sentences.join(" ")}\n`;
    });
    await writeFile(join(folder, `${thing}.md`), `# The ${thing} guide\n\n${sections.join("\n")}`);
  }
}
