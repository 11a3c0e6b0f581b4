import { scatterSuite } from './suite.ts';

scatterSuite('cpu');
scatterSuite('wasm');
