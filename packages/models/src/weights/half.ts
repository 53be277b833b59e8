// 16-bit floats: F16 = IEEE 754 binary16 (1 sign, 5 exponent, 10 fraction bits), BF16 = the upper half of a binary32.

function halfToFloat(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >>> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

let table: Float32Array | undefined;

/** The value of each of the 65,536 halves: a look-up is several times as fast as taking the bits apart. */
function halfTable(): Float32Array {
  table ??= Float32Array.from({ length: 65536 }, (_, half) => halfToFloat(half));
  return table;
}

/** F16 bits to floats, into `target` from index `at`. */
export function decodeHalves(halves: Uint16Array, target: Float32Array, at: number): void {
  const values = halfTable();
  for (let i = 0; i < halves.length; i++) target[at + i] = values[halves[i] as number] as number;
}

/** BF16 bits to floats, into `target` from index `at`. */
export function decodeBrainFloats(bits: Uint16Array, target: Float32Array, at: number): void {
  const words = new Uint32Array(target.buffer, target.byteOffset + at * 4, bits.length);
  for (let i = 0; i < bits.length; i++) words[i] = (bits[i] as number) << 16;
}

/** The bits of the F16 nearest to the float with bits `word`, ties to even; beyond 65,520 it is infinite. */
function toHalf(word: number): number {
  const sign = (word >>> 16) & 0x8000;
  const magnitude = word & 0x7fffffff;
  if (magnitude >= 0x47800000) return sign | (magnitude > 0x7f800000 ? 0x7e00 : 0x7c00); // 65,536 and more, NaN
  if (magnitude >= 0x38800000) {
    // A normal half: move the exponent's bias from 127 to 15, round the 13 bits that go (a carry may reach infinity).
    const rounded = magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1);
    return sign | (rounded >>> 13);
  }
  if (magnitude <= 0x33000000) return sign; // 2^-25 is a tie between 0 and the least subnormal: 0 is even
  const shift = 126 - (magnitude >>> 23);
  const fraction = (magnitude & 0x7fffff) | 0x800000;
  const whole = fraction >>> shift;
  const rest = fraction & ((1 << shift) - 1);
  const tie = 1 << (shift - 1);
  return sign | (whole + (rest > tie || (rest === tie && (whole & 1) === 1) ? 1 : 0));
}

/** Floats to F16 bits, rounded to nearest, ties to even. */
export function encodeHalves(values: Float32Array): Uint16Array<ArrayBuffer> {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = new Uint16Array(values.length);
  for (let i = 0; i < halves.length; i++) halves[i] = toHalf(words[i] as number);
  return halves;
}

/** Floats to BF16 bits, rounded to nearest, ties to even; NaN stays one. */
export function encodeBrainFloats(values: Float32Array): Uint16Array<ArrayBuffer> {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const bits = new Uint16Array(values.length);
  for (let i = 0; i < bits.length; i++) {
    const word = words[i] as number;
    const isNotNumber = (word & 0x7fffffff) > 0x7f800000;
    bits[i] = isNotNumber ? (word >>> 16) | 0x40 : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  }
  return bits;
}

/** The first finite value whose F16 bits are infinite; undefined where there is none. */
export function overflowOfHalves(halves: Uint16Array, values: Float32Array): number | undefined {
  const lost = halves.findIndex((half, i) => (half & 0x7fff) === 0x7c00 && Number.isFinite(values[i]));
  return lost < 0 ? undefined : values[lost];
}
