const MAX_TRACES = 200;

/** What changed since it was last asked for: the content of a live event. */
export class Changes {
  readonly traces = new Set<string>();
  moreTraces = false;
  logs = false;
  metrics = false;
  health = false;
  /** Something else, such as a clear. */
  other = false;
  #listener: (() => void) | undefined;

  /** Called on every change, as often as changes come. */
  set listener(listener: (() => void) | undefined) {
    this.#listener = listener;
  }

  trace(traceId: string): void {
    if (this.traces.size < MAX_TRACES) this.traces.add(traceId);
    else if (!this.traces.has(traceId)) this.moreTraces = true;
  }

  note(what: 'logs' | 'metrics' | 'health' | 'other'): void {
    this[what] = true;
  }

  /** To be called once a batch is in. */
  flush(): void {
    this.#listener?.();
  }

  get some(): boolean {
    return this.traces.size > 0 || this.moreTraces || this.logs || this.metrics || this.health || this.other;
  }

  reset(): void {
    this.traces.clear();
    this.moreTraces = this.logs = this.metrics = this.health = this.other = false;
  }
}
