import type { Config } from '../../config.ts';
import type { ExportStats } from '../../export/stats.ts';
import { heapLimit, nodeFlags } from '../../heap-limit.ts';
import type { BuiltIn } from '../check.ts';
import { disk } from './disk.ts';
import { environment } from './environment.ts';
import { eventLoop } from './event-loop.ts';
import { exporter } from './exporter.ts';
import { memory } from './memory.ts';

export interface BuiltInDeps {
  readonly config: Pick<Config, 'requiredEnv' | 'surroundings' | 'tracesExporter' | 'logsExporter'>;
  readonly stats: Pick<ExportStats, 'healthy' | 'lastError'>;
}

/**
 * The checks that every process has. Of these only the environment decides about readiness: a flag that somebody adds to
 * a command line must not move traffic by itself.
 */
export function builtIns({ config, stats }: BuiltInDeps): readonly BuiltIn[] {
  const exports = config.tracesExporter === 'otlp' || config.logsExporter === 'otlp';
  return [
    eventLoop(),
    memory(heapLimit(nodeFlags(config.surroundings.nodeOptions))),
    disk(),
    ...(config.requiredEnv.length > 0 ? [environment(config.surroundings.missingEnv)] : []),
    ...(exports ? [exporter(stats)] : []),
  ];
}
