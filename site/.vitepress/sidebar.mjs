import { readdirSync } from "node:fs";

const page = (text, name) => ({ text, link: `/${name}` });

/** The pages of a folder of docs/, by name. */
const pagesOf = (folder) =>
  readdirSync(new URL(`../../docs/${folder}/`, import.meta.url))
    .filter((file) => file.endsWith(".md"))
    .sort()
    .map((file) => file.slice(0, -".md".length))
    .map((name) => page(name, `${folder}/${name}`));

/** Every page of docs/, in the order in which they are read. */
export const sidebar = [
  {
    text: "Begin",
    items: [page("Overview", "index"), page("Quickstart", "quickstart"), page("Your own documents", "start")],
  },
  {
    text: "Guides",
    items: [
      page("Documents", "documents"),
      page("Questions, answers and cost", "data"),
      page("Training", "training"),
      page("Reranking", "reranking"),
      page("Judging results", "judging"),
      page("Using and serving", "using"),
      page("Large databases", "scale"),
      page("More than one machine", "scaling"),
    ],
  },
  {
    text: "Look up",
    items: [
      page("Commands", "commands"),
      { ...page("Flags", "flags"), collapsed: true, items: pagesOf("reference") },
      page("Files and exit codes", "files"),
      page("Figures", "figures"),
      page("Models that load", "models"),
    ],
  },
  {
    text: "Inside",
    items: [page("What was measured", "quality"), page("The engine", "engine"), page("Where things are", "layout")],
  },
];
