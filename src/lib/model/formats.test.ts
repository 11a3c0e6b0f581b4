import { formatsSuite } from './formats-suite.ts';

formatsSuite('cpu');
formatsSuite('wasm');
