import { type Server, serverName } from './databases.ts';
import type { Concern, Targets } from './targets.ts';

/**
 * Clients with one connection that they keep open and mend by themselves. While it is broken, calls do not fail, they
 * wait; so the state of the connections says it first.
 */
export class Clients<C extends object> {
  readonly #targets: Targets;
  /** What is wrong with a client's connection; undefined where it is up, or closed on purpose. */
  readonly #broken: (client: C) => string | undefined;
  readonly #byServer = new Map<string, Set<WeakRef<C>>>();
  #known = new WeakSet<C>();

  constructor(targets: Targets, broken: (client: C) => string | undefined) {
    this.#targets = targets;
    this.#broken = broken;
  }

  watch(client: C, server: Server): void {
    if (this.#known.has(client)) return;
    this.#known.add(client);
    const name = serverName(server);
    let clients = this.#byServer.get(name);
    if (clients === undefined) {
      this.#byServer.set(name, (clients = new Set()));
      const all = clients;
      this.#targets.describe(name, () => this.#concern(all));
    }
    clients.add(new WeakRef(client));
  }

  #concern(clients: Set<WeakRef<C>>): Concern | undefined {
    let concern: Concern | undefined;
    for (const reference of clients) {
      const client = reference.deref();
      if (client === undefined) {
        clients.delete(reference);
        continue;
      }
      const output = this.#broken(client);
      if (output !== undefined) concern = { status: 'fail', output };
    }
    return concern;
  }
}
