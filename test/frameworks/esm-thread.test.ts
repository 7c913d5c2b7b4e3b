import { describe } from 'node:test';
import { esmCases } from './esm-cases.ts';

// In a file, and so in a process, of its own: a loader thread cannot be taken back.
describe('ES modules, by the loader thread of older versions', () => esmCases('22.15.0'));
