/** What the jobs were run with: pinned in requirements.txt; another major or minor version of these is refused. */
export const PINNED = {
  trl: "1.16.0",
  "sentence-transformers": "6.2.0",
  transformers: "5.24.0",
  accelerate: "1.15.0",
  datasets: "5.2.0",
  peft: "0.21.2",
  torch: "2.15.0",
  deepspeed: "0.19.8",
  kernels: "0.18.2",
} as const;

export type PinnedPackage = keyof typeof PINNED;

/** Whether two versions differ in their last part at most. */
export function isSameMinor(version: string, other: string): boolean {
  const minor = (text: string): string => text.split("+", 1).join("").split(".").slice(0, 2).join(".");
  return minor(version) === minor(other);
}
