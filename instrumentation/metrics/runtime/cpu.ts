import { counter, type RuntimeCollector } from './define.ts';

/** CPU time since the process began, not since the kit was loaded. */
export const cpu: RuntimeCollector = {
  name: 'cpu',
  start(registry) {
    const user = registry.counter(counter('process_cpu_user_seconds_total', 'Total user CPU time spent in seconds.'));
    const system = registry.counter(counter('process_cpu_system_seconds_total', 'Total system CPU time spent in seconds.'));
    const both = registry.counter(counter('process_cpu_seconds_total', 'Total user and system CPU time spent in seconds.'));
    return {
      collect() {
        const usage = process.cpuUsage();
        user.setTotal({}, usage.user / 1e6);
        system.setTotal({}, usage.system / 1e6);
        both.setTotal({}, (usage.user + usage.system) / 1e6);
      },
    };
  },
};
