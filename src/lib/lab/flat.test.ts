import { flatSuite } from './flat-suite.ts';

flatSuite('wasm');
