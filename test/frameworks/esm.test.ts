import { describe } from 'node:test';
import { esmCases } from './esm-cases.ts';

describe('ES modules, by synchronous hooks', () => esmCases(undefined));
