import type { Page } from 'playwright-core';
import { until } from '../../test/support/until.ts';

/** What the page's bottom line says was given up. Numbers as they stand there, without separators. */
export interface ShownDrops {
  readonly total: number;
  /** The facts, a sentence each. */
  readonly facts: readonly string[];
  /** Spans, by service. */
  readonly spans: ReadonlyMap<string, number>;
}

/** Reads the note once it shows this total; the page asks every two seconds. @throws if it does not come to that */
export async function readDrops(page: Page, total: number): Promise<ShownDrops> {
  const note = page.locator('footer details.dropped');
  await until(`${total} dropped on the page`, async () => number(await note.locator('summary').textContent()) === total);
  if ((await note.getAttribute('open')) === null) await note.locator('summary').click();
  const spans = new Map<string, number>();
  for (const row of await note.locator('tbody tr').all()) {
    spans.set((await row.locator('th').textContent())!.trim(), number(await row.locator('td').first().textContent()));
  }
  return { total, facts: await note.locator('li').allTextContents(), spans };
}

function number(text: string | null): number {
  return Number((text ?? '').replace(/\D/g, '') || Number.NaN);
}
