import { type Content, html } from "@rag-ft/page";
import type { Figure } from "../read/system.js";

/** Three places for shares and losses, fewer for larger numbers, none for whole ones. */
export function formatNumber(value: number): string {
  if (Number.isInteger(value)) return String(value);
  return value.toFixed(Math.abs(value) >= 100 ? 1 : Math.abs(value) >= 10 ? 2 : 3);
}

/** A figure for a table: `0.613 (0.51–0.71)`. */
export function formatFigure(figure: Figure | undefined): Content {
  if (!figure) return html`<span class="muted">–</span>`;
  const { value, interval } = figure;
  // A share is shown as one even where it happens to be whole.
  const text = Math.abs(value) <= 1 ? value.toFixed(3) : formatNumber(value);
  if (!interval) return text;
  return html`${text} <span class="muted">(${interval[0].toFixed(3)}–${interval[1].toFixed(3)})</span>`;
}

function signed(change: number): string {
  return `${change > 0 ? "+" : change < 0 ? "−" : "±"}${Math.abs(change) <= 1 ? Math.abs(change).toFixed(3) : formatNumber(Math.abs(change))}`;
}

/** A change for a table: `+0.161 (+0.066–+0.256)`. */
export function formatChange(change: Figure | undefined): Content {
  if (!change) return "";
  const { value, interval } = change;
  if (!interval) return signed(value);
  return html`${signed(value)} <span class="muted">(${interval.map(signed).join(" to ")})</span>`;
}

/** `2:30 min`, `19.1 s`, `1:02:05 h`. */
export function formatDuration(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const two = (value: number): string => String(value).padStart(2, "0");
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)} h` : `${minutes}:${two(rest)} min`;
}
