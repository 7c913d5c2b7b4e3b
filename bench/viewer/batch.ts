import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Encoding } from '../../viewer/otlp/decode.ts';

const run = promisify(execFile);

/** Of one process; milliseconds. */
export interface BatchTimes {
  /** The very first batch, before anything is compiled. */
  readonly firstMs: number;
  readonly warmMs: readonly number[];
  /** CPU time of a warm batch on average: of all threads, so garbage collection's helpers too. */
  readonly cpuMs: number;
  /** Of one body. */
  readonly bytes: number;
}

/** How long a batch of 512 spans takes to decode and store: both encodings in turns, each time in a new process. */
export async function measureBatches(processes: number): Promise<Record<Encoding, BatchTimes[]>> {
  const times: Record<Encoding, BatchTimes[]> = { json: [], protobuf: [] };
  for (let n = 0; n < processes; n++) {
    for (const encoding of ['json', 'protobuf'] as const) {
      const file = join(import.meta.dirname, 'batch-process.ts');
      const { stdout } = await run(process.execPath, [file, encoding], { timeout: 120_000 });
      times[encoding].push(JSON.parse(stdout));
    }
  }
  return times;
}
