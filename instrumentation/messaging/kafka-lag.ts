import type { Kit } from '../kit.ts';
import { METRICS } from '../names.ts';

/** What events of kafkajs say of a batch. Offsets are 64 bits wide, so they come as text. */
export interface BatchPayload {
  readonly topic?: unknown;
  readonly partition?: unknown;
  readonly offsetLag?: unknown;
  readonly offsetLagLow?: unknown;
}

export interface KafkaLag {
  /** A batch is about to be handled: all of it is still to be done. */
  began(batch: BatchPayload): void;
  /** It was handled: what is left is what came after it. */
  done(batch: BatchPayload): void;
  /** The partitions may be another consumer's from now on. */
  forget(): void;
}

/**
 * How far a consumer of a group is behind, by partition, from what the broker says with every fetch: it is asked nothing
 * more. A consumer that fetches nothing keeps the last value, which is what it had left to do.
 */
export function watchLag(kit: Kit, group: string): KafkaLag {
  const gauge = kit.metrics.gauge(METRICS.kafkaLag);
  const shown = new Map<string, Readonly<Record<string, string>>>();

  function show({ topic, partition }: BatchPayload, lag: number): void {
    if (!Number.isFinite(lag)) return;
    const key = `${topic} ${partition}`;
    let labels = shown.get(key);
    if (labels === undefined) {
      labels = { consumergroup: group, topic: String(topic), partition: String(partition) };
      shown.set(key, labels);
    }
    gauge.set(labels, Math.max(0, lag));
  }

  return {
    // kafkajs counts from the offset of the first message, or of the last, to that of the partition's last.
    began: (batch) => show(batch, Number(batch.offsetLagLow) + 1),
    done: (batch) => show(batch, Number(batch.offsetLag)),
    forget() {
      for (const labels of shown.values()) gauge.remove(labels);
      shown.clear();
    },
  };
}
