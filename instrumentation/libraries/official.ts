import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { MeterProvider, TracerProvider } from '@opentelemetry/api';
import { createNoopMeter } from '@opentelemetry/api';
import { reason } from '../diagnostics.ts';
import type { Kit } from '../kit.ts';
import { type Copy, isExports, type Undo } from './define.ts';
import type { OfficialName } from './official-classes.ts';
import { placeOf } from './packages.ts';
import { inRange } from './range.ts';

/** What the kit uses of `@opentelemetry/instrumentation`'s classes. */
interface Instrumentation {
  setTracerProvider(provider: TracerProvider): void;
  setMeterProvider(provider: MeterProvider): void;
  getModuleDefinitions(): readonly ModuleDefinition[];
  disable(): void;
}

interface Patchable {
  readonly name: string;
  readonly supportedVersions: readonly string[];
  readonly patch?: (exports: unknown, version?: string) => unknown;
  readonly unpatch?: (exports: unknown, version?: string) => void;
}

interface ModuleDefinition extends Patchable {
  readonly files?: readonly Patchable[];
}

export interface Official {
  /** Key in official-classes.ts. */
  readonly name: OfficialName;
  /** Options of the class. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Makes its spans; see databases/databases.ts for one that makes client spans and their metrics in one pass. */
  readonly tracerProvider: TracerProvider;
  /** Where its own metrics go; nowhere by default, since the kit measures from the spans. */
  readonly meterProvider?: MeterProvider;
}

const NO_METERS: MeterProvider = { getMeter: () => createNoopMeter() };
const load = createRequire(import.meta.url);

/**
 * Lets an official instrumentation patch one copy of its library that the app has loaded.
 *
 * The class installs no hook of its own (the bundle has none to install): the kit's one hook has already found the copy,
 * so the class's patch functions are called with what is loaded. A file of the library that nothing has loaded yet is
 * left alone, and so is one whose version the class does not support.
 *
 * @returns takes the patches back
 * @throws where the class patches nothing of this copy, or one of its patches throws; what was patched is taken back then
 */
export function adopt(kit: Kit, copy: Copy, exports: unknown, official: Official): Undo {
  const instrumentation = make(official);
  const undos: Undo[] = [];
  const undo = () => {
    for (const each of undos.splice(0).reverse()) each();
    instrumentation.disable();
  };
  try {
    for (const definition of instrumentation.getModuleDefinitions()) {
      if (definition.name !== copy.name) continue;
      patch(definition, exports);
      for (const file of definition.files ?? []) patch(file, loadedFile(copy, file.name));
    }
    if (undos.length === 0) throw new Error(`the official instrumentation does not know ${copy.name} ${copy.version ?? ''}`);
  } catch (error) {
    undo();
    throw error;
  }
  return undo;

  function patch(target: Patchable, loaded: unknown): void {
    if (target.patch === undefined || !isExports(loaded) || !supports(target, copy.version)) return;
    // What it returns is for loaders that can replace exports; the kit changes only what hangs on them.
    target.patch(loaded, copy.version);
    undos.push(() => {
      try {
        target.unpatch?.(loaded, copy.version);
      } catch (error) {
        kit.diagnostics.debug(`${target.name} could not be unpatched: ${reason(error)}.`);
      }
    });
  }
}

function make({ name, config, tracerProvider, meterProvider = NO_METERS }: Official): Instrumentation {
  const { CLASSES } = load('./instrumentations.cjs') as typeof import('./official-classes.ts');
  const Class = CLASSES[name] as unknown as new (config?: object) => Instrumentation;
  const instrumentation = new Class(config);
  instrumentation.setTracerProvider(tracerProvider);
  instrumentation.setMeterProvider(meterProvider);
  return instrumentation;
}

function supports({ supportedVersions }: Patchable, version: string | undefined): boolean {
  return version === undefined || supportedVersions.some((range) => range === '*' || inRange(version, range));
}

/** The exports of a file inside the copy's package (`pg/lib/client.js`), if the app has loaded it. */
export function loadedFile(copy: Copy, name: string): unknown {
  const folder = copy.path === undefined ? undefined : placeOf(copy.path)?.folder;
  if (folder === undefined) return undefined;
  const module = load.cache[join(folder, name.slice(copy.name.length))];
  return module?.loaded ? module.exports : undefined;
}
