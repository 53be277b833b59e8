import { DataError } from "../errors.js";
import { PICKLE_LIMITS } from "./limits.js";

/** Reads a pickle's bytes in order; every read is checked against the end of the file. */
export class ByteReader {
  offset = 0;
  private frameEnd = 0;
  private readonly view: DataView;

  constructor(
    private readonly bytes: Buffer,
    /** For messages. */
    readonly path: string,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** A DataError that names file and byte. */
  error(message: string, offset = this.offset): DataError {
    return new DataError(`${this.path}: byte ${offset}: ${message}`);
  }

  /** Moves on by `size` bytes and returns where they begin. */
  private advance(size: number): number {
    const start = this.offset;
    const left = this.bytes.length - start;
    if (size > left) {
      throw this.error(
        `the file ends too early (${size} bytes expected, ${left} left). The pickle is truncated: copy or write it again.`,
      );
    }
    this.offset = start + size;
    return start;
  }

  uint8(): number {
    return this.view.getUint8(this.advance(1));
  }
  uint16(): number {
    return this.view.getUint16(this.advance(2), true);
  }
  int32(): number {
    return this.view.getInt32(this.advance(4), true);
  }
  uint32(): number {
    return this.view.getUint32(this.advance(4), true);
  }
  /** A length in 8 bytes; one beyond the file's size is refused here. */
  length64(): number {
    const start = this.advance(8);
    const value = this.view.getBigUint64(start, true);
    if (value > BigInt(this.bytes.length)) {
      throw this.error(
        `a length of ${value} bytes in a file of ${this.bytes.length}. The pickle is truncated or damaged.`,
        start,
      );
    }
    return Number(value);
  }
  float64BigEndian(): number {
    return this.view.getFloat64(this.advance(8), false);
  }

  take(size: number): Uint8Array {
    const start = this.advance(size);
    return this.bytes.subarray(start, start + size);
  }
  text(size: number): string {
    const start = this.advance(size);
    return this.bytes.toString("utf8", start, start + size);
  }

  /** Text up to the next newline (protocol 0). `limit` bounds its length in bytes. */
  line(limit: number = PICKLE_LIMITS.lineBytes, encoding: BufferEncoding = "utf8"): string {
    const end = this.bytes.indexOf(10, this.offset);
    if (end < 0) throw this.error("the file ends within a line. The pickle is truncated: copy or write it again.");
    if (end - this.offset > limit) throw this.error(`a line of ${end - this.offset} bytes; at most ${limit} expected.`);
    const line = this.bytes.toString(encoding, this.offset, end);
    this.offset = end + 1;
    return line;
  }

  /** A little-endian two's complement integer of `size` bytes. */
  integer(size: number): number | bigint {
    if (size > PICKLE_LIMITS.integerBytes) {
      throw this.error(`an integer of ${size} bytes; at most ${PICKLE_LIMITS.integerBytes} are read.`);
    }
    let value = 0n;
    const bytes = this.take(size);
    for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i] ?? 0);
    return narrowInteger(size === 0 ? 0n : BigInt.asIntN(size * 8, value));
  }

  /** A frame's header: frames come one after the other and lie within the file. */
  startFrame(): void {
    const start = this.offset;
    const size = this.length64();
    if (start < this.frameEnd) throw this.error("a frame begins inside another. The pickle is damaged.", start);
    if (this.offset + size > this.bytes.length) {
      throw this.error(
        `a frame of ${size} bytes, but ${this.bytes.length - this.offset} are left. The pickle is truncated: copy or write it again.`,
        start,
      );
    }
    this.frameEnd = this.offset + size;
  }
}

/** A number when it is exact as one, otherwise the bigint. */
export function narrowInteger(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
