import { memorySuite } from './memory-suite.ts';

memorySuite('cpu');
memorySuite('wasm');
