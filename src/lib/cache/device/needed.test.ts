import { neededSuite } from './needed-suite.ts';

neededSuite('cpu');
neededSuite('wasm');
