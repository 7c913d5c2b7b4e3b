import type { JsonAttributes } from '../api-types.ts';
import { slotOf } from '../metrics/clock.ts';
import { SeriesWindow } from '../metrics/series-window.ts';
import type { Attributes } from '../model.ts';
import { jsonAttributes } from './json.ts';

const MAX_SERVICES = 500;
const MAX_INSTANCES = 200;

/** What is known of a service besides its telemetry. */
export interface ServiceRecord {
  name: string;
  version: string;
  firstSeen: number;
  lastSeen: number;
  /** `service.instance.id`, and when each was last heard from. */
  instances: Map<string, number>;
  resource: JsonAttributes;
  spans: number;
  logs: number;
  /** Log records of severity error and above. */
  errorLogs: SeriesWindow;
  /** What the store gave up of it. */
  droppedSpans: number;
  droppedLogs: number;
}

/** Every service heard from; bounded: the one not heard from for the longest makes room. */
export class Services {
  readonly #all = new Map<string, ServiceRecord>();

  get size(): number {
    return this.#all.size;
  }

  get(name: string): ServiceRecord | undefined {
    return this.#all.get(name);
  }

  values(): Iterable<ServiceRecord> {
    return this.#all.values();
  }

  /** Notes that something came from a service. */
  heard(name: string, resource: Attributes | undefined, now: number): ServiceRecord {
    const service = this.#all.get(name) ?? this.#open(name, now);
    service.lastSeen = now;
    if (resource === undefined) return service;
    const { 'service.version': version, 'service.instance.id': instance } = resource;
    if (typeof version === 'string') service.version = version;
    service.resource = jsonAttributes(resource);
    if (typeof instance === 'string') {
      // Moved to the end: the first is the one not heard from for the longest.
      service.instances.delete(instance);
      service.instances.set(instance, now);
      if (service.instances.size > MAX_INSTANCES) service.instances.delete(service.instances.keys().next().value!);
    }
    return service;
  }

  errorLog(service: ServiceRecord, at: number): void {
    service.errorLogs.add(slotOf(at), 1);
  }

  clear(): void {
    this.#all.clear();
  }

  #open(name: string, now: number): ServiceRecord {
    if (this.#all.size >= MAX_SERVICES) {
      let oldest: ServiceRecord | undefined;
      for (const one of this.#all.values()) if (!oldest || one.lastSeen < oldest.lastSeen) oldest = one;
      this.#all.delete(oldest!.name);
    }
    const service: ServiceRecord = {
      name,
      version: '',
      firstSeen: now,
      lastSeen: now,
      instances: new Map(),
      resource: {},
      spans: 0,
      logs: 0,
      errorLogs: new SeriesWindow(),
      droppedSpans: 0,
      droppedLogs: 0,
    };
    this.#all.set(name, service);
    return service;
  }
}
