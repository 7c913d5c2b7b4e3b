import { existsSync, readFileSync } from 'node:fs';
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';
import type { Config } from '../config.ts';

const LOOPBACK = '127.0.0.1';
const MARKS = ['/.dockerenv', '/run/.containerenv'];
const CGROUPS = /docker|kubepods|containerd|libpod|lxc/;

/** Where to listen. An undefined host is all interfaces. */
export interface Place {
  /** The first must be had; the others are left out where the machine does not have them. */
  readonly hosts: readonly (string | undefined)[];
  /** The address under which a scraper reaches the process. */
  readonly reachable: string;
  /** The address under which this machine reaches it: loopback, unless another address was given. */
  readonly local: string;
}

/** What the operating system tells; replaced in tests. */
export interface Machine {
  readonly platform: NodeJS.Platform;
  readonly container: boolean;
  readonly interfaces: NodeJS.Dict<NetworkInterfaceInfo[]>;
}

/**
 * In a container, whose network is its own, all interfaces; on a host only loopback, and on Linux the address of docker0,
 * at which containers see their host. A host that is given stands alone.
 */
export function place(config: Pick<Config, 'adminHost' | 'surroundings'>, machine: Machine = thisMachine(config)): Place {
  const { adminHost } = config;
  if (adminHost && !isWildcard(adminHost)) return { hosts: [adminHost], reachable: adminHost, local: adminHost };
  if (adminHost || machine.container) {
    return { hosts: [adminHost || undefined], reachable: ownAddress(machine.interfaces), local: LOOPBACK };
  }
  const docker = machine.platform === 'linux' ? ipv4(machine.interfaces.docker0) : undefined;
  const hosts = docker ? [LOOPBACK, docker] : [LOOPBACK];
  return { hosts, reachable: docker ?? LOOPBACK, local: LOOPBACK };
}

function thisMachine(config: Pick<Config, 'surroundings'>): Machine {
  return {
    platform: process.platform,
    container: config.surroundings.container || MARKS.some((file) => existsSync(file)) || CGROUPS.test(cgroup()),
    interfaces: interfaces(),
  };
}

function cgroup(): string {
  try {
    return readFileSync('/proc/self/cgroup', 'utf8');
  } catch {
    return '';
  }
}

function interfaces(): NodeJS.Dict<NetworkInterfaceInfo[]> {
  try {
    return networkInterfaces();
  } catch {
    // Android and some sandboxes refuse; loopback is always there.
    return {};
  }
}

function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

function ownAddress(all: Machine['interfaces']): string {
  for (const addresses of Object.values(all)) {
    const address = ipv4(addresses?.filter(({ internal }) => !internal));
    if (address) return address;
  }
  return LOOPBACK;
}

function ipv4(addresses: NetworkInterfaceInfo[] | undefined): string | undefined {
  return addresses?.find(({ family }) => family === 'IPv4')?.address;
}
