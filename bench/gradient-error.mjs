// How far gradients are from a reference.

function relativeError(a, b) {
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < b.length; i++) {
    difference += (a[i] - b[i]) ** 2;
    norm += b[i] ** 2;
  }
  return { error: Math.sqrt(difference / norm), norm: Math.sqrt(norm), difference: Math.sqrt(difference) };
}

/**
 * Largest relative L2 error of a gradient, and the error over all of them together; those that are zero but for rounding (a key's bias) are
 * counted apart. `reference` has `{ data }` by name.
 */
export function worstGradient(ours, reference) {
  let largest = 0;
  for (const [, { data }] of reference) largest = Math.max(largest, relativeError(data, data).norm);
  let worst = { name: "", error: 0 };
  let compared = 0;
  let negligible = 0;
  let squares = 0;
  let errors = 0;
  for (const [name, { data }] of reference) {
    const gradient = ours.get(name);
    if (!gradient) throw new Error(`no gradient of ${name}`);
    const { error, norm, difference } = relativeError(gradient, data);
    if (norm < 1e-5 * largest) negligible++;
    else if (!(error <= worst.error)) worst = { name, error };
    squares += norm ** 2;
    errors += difference ** 2;
    compared++;
  }
  return { compared, negligible, worst, all: Math.sqrt(errors / squares) };
}
