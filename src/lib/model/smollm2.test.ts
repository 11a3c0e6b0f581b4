import { smolSuite } from './smollm2-suite.ts';

smolSuite('wasm', ['f32']);
