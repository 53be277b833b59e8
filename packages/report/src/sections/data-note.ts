import { describeSplit } from "@rag-ft/core";
import { SOURCES_NAME } from "@rag-ft/metrics";
import { type Content, html } from "@rag-ft/page";
import type { System } from "../read/system.js";

/** How the questions were split, each way once. */
export function splitNote(procedures: readonly unknown[]): string {
  return [...new Set(procedures.map(describeSplit))].join(" ");
}

/** `95 % intervals`, and that they are by source where some are. */
export function intervalWords(systems: readonly Pick<System, "figures">[]): string {
  const sources = Math.max(0, ...systems.map(({ figures }) => figures.get(SOURCES_NAME)?.value ?? 0));
  return sources > 0 ? `95 % intervals by source (${sources} sources)` : "95 % intervals";
}

/** The line above a table of systems. */
export function dataNote(start: string, systems: readonly System[]): Content {
  return html`<p>${start} In brackets ${intervalWords(systems)}. ${splitNote(systems.map(({ splitBy }) => splitBy))}</p>`;
}
