/** Vectors row-major, `[rows, dimensions]`. */
export interface Rows {
  values: Float32Array | Float64Array;
  dimensions: number;
}

/** Passages worked on at once: so many independent sums keep the processor busy while each waits for its last addition. */
const AT_ONCE = 4;

/**
 * Inner products of query `q` with the passages at `places[0 … count)`, written to `out[at … at + count)`. Each sum is taken in double precision and in the order of
 * the dimensions, however the loops are cut: results are the same bits for any grouping.
 */
export function productsOfOne(
  queries: Rows,
  q: number,
  passages: Rows,
  places: Int32Array,
  count: number,
  out: Float64Array,
  at: number,
): void {
  const { values: y, dimensions: d } = queries;
  const { values: x } = passages;
  const a = q * d;
  let n = 0;
  for (; n + AT_ONCE <= count; n += AT_ONCE) {
    const p0 = (places[n] as number) * d;
    const p1 = (places[n + 1] as number) * d;
    const p2 = (places[n + 2] as number) * d;
    const p3 = (places[n + 3] as number) * d;
    let s0 = 0;
    let s1 = 0;
    let s2 = 0;
    let s3 = 0;
    for (let i = 0; i < d; i++) {
      const of = y[a + i] as number;
      s0 += of * (x[p0 + i] as number);
      s1 += of * (x[p1 + i] as number);
      s2 += of * (x[p2 + i] as number);
      s3 += of * (x[p3 + i] as number);
    }
    out[at + n] = s0;
    out[at + n + 1] = s1;
    out[at + n + 2] = s2;
    out[at + n + 3] = s3;
  }
  for (; n < count; n++) {
    const p = (places[n] as number) * d;
    let sum = 0;
    for (let i = 0; i < d; i++) sum += (y[a + i] as number) * (x[p + i] as number);
    out[at + n] = sum;
  }
}

/** The same of queries `q` and `q + 1`, whose products go to `at` and `next`: each number of a passage is read once for both. */
export function productsOfTwo(
  queries: Rows,
  q: number,
  passages: Rows,
  places: Int32Array,
  count: number,
  out: Float64Array,
  at: number,
  next: number,
): void {
  const { values: y, dimensions: d } = queries;
  const { values: x } = passages;
  const a = q * d;
  const b = a + d;
  const whole = count - (count % AT_ONCE);
  for (let n = 0; n < whole; n += AT_ONCE) {
    const p0 = (places[n] as number) * d;
    const p1 = (places[n + 1] as number) * d;
    const p2 = (places[n + 2] as number) * d;
    const p3 = (places[n + 3] as number) * d;
    let s0 = 0;
    let s1 = 0;
    let s2 = 0;
    let s3 = 0;
    let t0 = 0;
    let t1 = 0;
    let t2 = 0;
    let t3 = 0;
    for (let i = 0; i < d; i++) {
      const one = y[a + i] as number;
      const two = y[b + i] as number;
      const v0 = x[p0 + i] as number;
      const v1 = x[p1 + i] as number;
      const v2 = x[p2 + i] as number;
      const v3 = x[p3 + i] as number;
      s0 += one * v0;
      s1 += one * v1;
      s2 += one * v2;
      s3 += one * v3;
      t0 += two * v0;
      t1 += two * v1;
      t2 += two * v2;
      t3 += two * v3;
    }
    out[at + n] = s0;
    out[at + n + 1] = s1;
    out[at + n + 2] = s2;
    out[at + n + 3] = s3;
    out[next + n] = t0;
    out[next + n + 1] = t1;
    out[next + n + 2] = t2;
    out[next + n + 3] = t3;
  }
  if (whole < count) {
    const rest = places.subarray(whole, count);
    productsOfOne(queries, q, passages, rest, count - whole, out, at + whole);
    productsOfOne(queries, q + 1, passages, rest, count - whole, out, next + whole);
  }
}
