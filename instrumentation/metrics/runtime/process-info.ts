import { performance } from 'node:perf_hooks';
import { gauge, type RuntimeCollector } from './define.ts';

export const processInfo: RuntimeCollector = {
  name: 'process_info',
  start(registry) {
    const started = gauge('process_start_time_seconds', 'Start time of the process since unix epoch in seconds.');
    registry.gauge(started).set({}, performance.timeOrigin / 1000);
    const info = gauge('nodejs_version_info', 'Node.js version info.', 'version', 'major', 'minor', 'patch');
    const [major, minor, patch] = process.versions.node.split('.');
    registry.gauge(info).set({ version: process.version, major, minor, patch }, 1);
    return {};
  },
};
