import { spawnSync } from 'node:child_process';
import { existsSync, globSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../free-port.ts';
import { findProgram } from '../needs.ts';
import { accepts, type Server, serverFolder, startProgram } from './program.ts';

export interface KafkaServer extends Server {
  /** The broker's address, as clients take it. */
  readonly url: string;
}

/** Folder of a Kafka distribution, or what `scripts/kafka.sh` has put into the cache. */
const HOME = process.env.KAFKA_HOME ?? join(import.meta.dirname, '../../../.cache/kafka');
const JAVA = findProgram('java');

/** For a test's `skip` option. */
export const needsKafka: string | false =
  JAVA === undefined
    ? 'needs kafka: no java on PATH (Debian: apt-get install default-jre-headless)'
    : globSync('libs/kafka_*.jar', { cwd: HOME }).length === 0
      ? 'needs kafka: neither KAFKA_HOME nor scripts/kafka.sh has given its jars'
      : false;

/** A Kafka of its own: one node, broker and controller, without ZooKeeper. It is up in some seconds. */
export async function startKafka(): Promise<KafkaServer> {
  if (JAVA === undefined || needsKafka) throw new Error(String(needsKafka));
  const cwd = serverFolder('kafka');
  const [port, controller] = [await freePort(), await freePort()];
  const settings = join(cwd, 'server.properties');
  const data = join(cwd, 'data');
  writeFileSync(
    settings,
    Object.entries({
      'process.roles': 'broker,controller',
      'node.id': 1,
      'controller.quorum.voters': `1@127.0.0.1:${controller}`,
      listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}`,
      'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
      'controller.listener.names': 'CONTROLLER',
      'log.dirs': data,
      'num.partitions': 1,
      'offsets.topic.replication.factor': 1,
      'offsets.topic.num.partitions': 1,
      'transaction.state.log.replication.factor': 1,
      'transaction.state.log.min.isr': 1,
      'group.initial.rebalance.delay.ms': 0,
    })
      .map(([key, value]) => `${key}=${value}\n`)
      .join(''),
  );
  const java = ['-Xmx256m', '-XX:TieredStopAtLevel=1', '-cp', join(HOME, 'libs/*')];
  const format = ['kafka.tools.StorageTool', 'format', '-t', 'MkU3OEVBNTcwNTJENDM2Qg', '-c', settings];
  const { status, stderr } = spawnSync(JAVA, [...java, ...format], { cwd, encoding: 'utf8', timeout: 60_000 });
  if (status !== 0 || !existsSync(data)) throw new Error(`Kafka could not make its folder: ${stderr}`);
  const server = await startProgram({
    command: JAVA,
    args: [...java, 'kafka.Kafka', settings],
    cwd,
    port,
    answers: () => accepts(port),
  });
  return { ...server, url: `127.0.0.1:${port}` };
}
