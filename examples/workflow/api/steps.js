const REQUIRED = { email: ['to', 'subject'], webhook: ['url'], fetch: ['url'] };

/** What is wrong with the body of a new run; undefined if nothing is. */
export function problemOf(body) {
  const steps = body?.steps;
  if (!Array.isArray(steps) || steps.length === 0 || steps.length > 50) return 'steps: a list of 1 to 50 steps is wanted';
  for (const [index, step] of steps.entries()) {
    if (!Object.hasOwn(REQUIRED, String(step?.type)))
      return `steps[${index}].type: one of ${Object.keys(REQUIRED).join(', ')} is wanted`;
    for (const field of REQUIRED[step.type]) {
      if (typeof step[field] !== 'string' || step[field] === '') return `steps[${index}].${field}: a text is wanted`;
    }
    if (step.url !== undefined && !URL.canParse(step.url)) return `steps[${index}].url: an address is wanted`;
  }
  return undefined;
}
