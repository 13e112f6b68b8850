// What both sides have computed is held against each other before anything is timed.

/** Norm of the difference over the norm of `theirs`. */
export function relativeError(ours, theirs) {
  let [difference, norm] = [0, 0];
  for (let i = 0; i < theirs.length; i++) {
    difference += (ours[i] - theirs[i]) ** 2;
    norm += theirs[i] ** 2;
  }
  return norm === 0 ? Math.sqrt(difference) : Math.sqrt(difference / norm);
}

function requireLength(what, ours, theirs) {
  if (ours.length !== theirs.length)
    throw new Error(`${what}: ${ours.length} values here, ${theirs.length} there`);
}

/** The relative error; throws where it is more than `most`. */
export function requireClose(what, ours, theirs, most) {
  requireLength(what, ours, theirs);
  const error = relativeError(ours, theirs);
  if (!(error <= most))
    throw new Error(`${what}: both sides differ, by ${error} of the norm (at most ${most})`);
  return error;
}

/** The cosine of the angle between both; throws where it is less than `least`. */
export function requireCosine(what, ours, theirs, least) {
  requireLength(what, ours, theirs);
  let [product, a, b] = [0, 0, 0];
  for (let i = 0; i < theirs.length; i++) {
    product += ours[i] * theirs[i];
    a += ours[i] ** 2;
    b += theirs[i] ** 2;
  }
  const cosine = product / Math.sqrt(a * b);
  if (!(cosine >= least)) throw new Error(`${what}: their cosine is ${cosine} (at least ${least})`);
  return cosine;
}

/** The greatest relative error of arrays by name. */
export function requireAllClose(what, ours, theirs, most) {
  const errors = Object.entries(ours).map(([name, values]) =>
    requireClose(`${what}, ${name}`, values, theirs(name), most),
  );
  return Math.max(...errors);
}

/** The share of equal positions of two spike trains; throws where it is less than `least`. */
export function requireSameSpikes(what, ours, theirs, least) {
  requireLength(what, ours, theirs);
  let equal = 0;
  for (let i = 0; i < ours.length; i++) equal += ours[i] === theirs[i] ? 1 : 0;
  const share = equal / ours.length;
  if (!(share >= least)) throw new Error(`${what}: ${share} of the spikes are the same (at least ${least})`);
  return share;
}
