export type Flags = Record<string, string | number | boolean>;

/** A stage's command line: `--name value` for each flag. */
export function argvOf(stage: string, flags: Flags): string[] {
  return [stage, ...Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)])];
}
