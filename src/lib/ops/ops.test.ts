import { opSuites } from './suites.ts';

opSuites('cpu');
opSuites('wasm');
