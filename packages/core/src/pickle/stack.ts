import type { ByteReader } from "./byte-reader.js";
import { PICKLE_LIMITS } from "./limits.js";
import { describeValue, type PickleValue } from "./values.js";

/** The machine's stack with its marks, and the memo. Every access is checked: a damaged file can ask for anything. */
export class PickleStack {
  private items: PickleValue[] = [];
  /** Stacks set aside at each open mark. */
  private readonly below: PickleValue[][] = [];
  private readonly memo = new Map<number, PickleValue>();

  constructor(private readonly reader: ByteReader) {}

  get size(): number {
    return this.items.length;
  }

  push(value: PickleValue): void {
    this.items.push(value);
  }

  pop(): PickleValue {
    const value = this.items.pop();
    if (value === undefined) throw this.reader.error("a value is taken from an empty stack. The pickle is damaged.");
    return value;
  }

  peek(): PickleValue {
    const value = this.items.at(-1);
    if (value === undefined) throw this.reader.error("a value is expected on an empty stack. The pickle is damaged.");
    return value;
  }

  mark(): void {
    if (this.below.length >= PICKLE_LIMITS.openMarks) {
      throw this.reader.error(`more than ${PICKLE_LIMITS.openMarks} nested containers. This is no document database.`);
    }
    this.below.push(this.items);
    this.items = [];
  }

  /** Everything since the last mark. */
  popMark(): PickleValue[] {
    const values = this.items;
    const below = this.below.pop();
    if (below === undefined) throw this.reader.error("a mark is missing. The pickle is damaged.");
    this.items = below;
    return values;
  }

  popString(what: string): string {
    const value = this.pop();
    if (typeof value !== "string") {
      throw this.reader.error(`${what} should be a str, found ${describeValue(value)}. The pickle is damaged.`);
    }
    return value;
  }

  put(index: number, value: PickleValue): void {
    if (this.memo.size >= PICKLE_LIMITS.memoEntries) {
      throw this.reader.error(
        `more than ${PICKLE_LIMITS.memoEntries} memo entries. Split the database into smaller files.`,
      );
    }
    this.memo.set(index, value);
  }

  memoize(): void {
    this.put(this.memo.size, this.peek());
  }

  get(index: number): PickleValue {
    const value = this.memo.get(index);
    if (value === undefined) throw this.reader.error(`memo entry ${index} was never written. The pickle is damaged.`);
    return value;
  }
}
