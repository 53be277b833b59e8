/** Something of a page that is not in its passages. */
export interface LeftOutPart {
  kind: string;
  text: string;
  line?: number;
}

/** What was counted, as data. */
export interface LeftOutState {
  kinds: [string, { number: number; characters: number }][];
  parts: LeftOutPart[];
}

/** Counts by kind of what is left out. */
export class LeftOut {
  private readonly kinds = new Map<string, { number: number; characters: number }>();
  /** The parts themselves, when they are asked for. */
  readonly parts: LeftOutPart[] = [];

  constructor(private readonly keep = false) {}

  readonly add = (kind: string, text: string, line?: number): void => {
    const counted = this.kinds.get(kind) ?? { number: 0, characters: 0 };
    counted.number++;
    counted.characters += text.length;
    this.kinds.set(kind, counted);
    if (this.keep) this.parts.push({ kind, text, ...(line === undefined ? {} : { line }) });
  };

  static of({ kinds, parts }: LeftOutState): LeftOut {
    const made = new LeftOut(true);
    for (const [kind, counted] of kinds) made.kinds.set(kind, counted);
    made.parts.push(...parts);
    return made;
  }

  state(): LeftOutState {
    return { kinds: [...this.kinds], parts: this.parts };
  }

  /** Adds what another has counted. */
  addAll(other: LeftOut): void {
    for (const [kind, { number, characters }] of other.kinds) {
      const counted = this.kinds.get(kind) ?? { number: 0, characters: 0 };
      counted.number += number;
      counted.characters += characters;
      this.kinds.set(kind, counted);
    }
  }

  /** How many of each kind, the kind with the most characters first. */
  counts(): Record<string, number> {
    const kinds = [...this.kinds].sort(([, a], [, b]) => b.characters - a.characters);
    return Object.fromEntries(kinds.map(([kind, { number }]) => [kind, number]));
  }
}
