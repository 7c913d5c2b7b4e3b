// The load generator as a process of its own: options as JSON in its argument, the result as a message.
import { type LoadOptions, load } from './generator.ts';

process.send!(await load(JSON.parse(process.argv[2]) as LoadOptions), () => process.exit(0));
