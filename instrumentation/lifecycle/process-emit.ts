type Emit = typeof process.emit;

/** Sees events of `process` without being a listener: a listener would itself change what Node and libraries do. */
export interface EmitHooks {
  before?(event: string | symbol, args: readonly unknown[]): void;
  /** @param handled whether the event had listeners */
  after?(event: string | symbol, args: readonly unknown[], handled: boolean): void;
}

/** Wraps `process.emit`. The hooks must not throw. @returns takes the wrapper off, or makes it transparent if others wrapped it */
export function hookProcessEmit(hooks: EmitHooks): () => void {
  const own = Object.hasOwn(process, 'emit');
  const original = process.emit;
  let active = true;
  const emit = function emit(this: NodeJS.Process, event: string | symbol, ...args: unknown[]): boolean {
    if (!active) return Reflect.apply(original, this, [event, ...args]);
    hooks.before?.(event, args);
    let handled = false;
    try {
      handled = Reflect.apply(original, this, [event, ...args]);
    } finally {
      // Also when a listener throws, in `exit` for one: what was recorded is still to be handed over.
      hooks.after?.(event, args, handled);
    }
    return handled;
  };
  process.emit = emit as Emit;
  return () => {
    active = false;
    if (process.emit !== (emit as Emit)) return;
    if (own) process.emit = original;
    else Reflect.deleteProperty(process, 'emit');
  };
}
