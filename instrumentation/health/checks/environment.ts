import type { BuiltIn } from '../check.ts';

/** The variables that `O11Y_REQUIRED_ENV` names. Only names are shown, never values. */
export function environment(missing: readonly string[]): BuiltIn {
  return {
    name: 'environment',
    componentType: 'system',
    check: () => ({
      status: missing.length > 0 ? 'fail' : 'pass',
      observedValue: missing.length,
      observedUnit: 'missing',
      output: missing.length > 0 ? `not set: ${missing.join(', ')}` : undefined,
    }),
  };
}
