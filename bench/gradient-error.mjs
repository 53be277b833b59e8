// How far gradients are from a reference.

function relativeError(a, b) {
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < b.length; i++) {
    difference += (a[i] - b[i]) ** 2;
    norm += b[i] ** 2;
  }
  return { error: Math.sqrt(difference / norm), norm: Math.sqrt(norm) };
}

/** Largest relative L2 error of a gradient; those that are zero but for rounding (a key's bias) are counted apart. */
export function worstGradient(ours, reference) {
  let largest = 0;
  for (const [, { data }] of reference) largest = Math.max(largest, relativeError(data, data).norm);
  let worst = { name: "", error: 0 };
  let compared = 0;
  let negligible = 0;
  for (const [name, { data }] of reference) {
    const gradient = ours.get(name);
    if (!gradient) throw new Error(`no gradient of ${name}`);
    const { error, norm } = relativeError(gradient, data);
    if (norm < 1e-5 * largest) negligible++;
    else if (!(error <= worst.error)) worst = { name, error };
    compared++;
  }
  return { compared, negligible, worst };
}
