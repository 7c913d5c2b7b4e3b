export const TOPICS = ['Node.js', 'Preload', 'Libraries', 'Other telemetry', 'Settings', 'Backend', 'Metrics page'] as const;
export type Topic = (typeof TOPICS)[number];

/** `note`: worth knowing, nothing is wrong. `problem`: something does not work as one would expect. */
export type Level = 'ok' | 'note' | 'problem';

/** One thing that `doctor` has looked at. */
export interface Finding {
  readonly topic: Topic;
  readonly level: Level;
  /** What it is about: a package with its version, a variable, an address. */
  readonly subject: string;
  /** What was seen, and what it means. */
  readonly text: string;
  /** What to do about it. Every problem has one. */
  readonly todo?: string;
}

/** Findings of one topic, in three words. */
export function findings(topic: Topic) {
  return {
    ok: (subject: string, text: string): Finding => ({ topic, level: 'ok', subject, text }),
    note: (subject: string, text: string, todo?: string): Finding => ({ topic, level: 'note', subject, text, todo }),
    problem: (subject: string, text: string, todo: string): Finding => ({ topic, level: 'problem', subject, text, todo }),
  };
}
