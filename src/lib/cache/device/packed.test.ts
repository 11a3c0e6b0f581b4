import { packedSuite } from './packed-suite.ts';

packedSuite('cpu');
packedSuite('wasm');
